#include "process/trials.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "arch/hot.h"
#include "host/newborn.h"
#include "host/sys.h"

#define FORBIDDEN 0x80000000u
#define BEGUN 0x40000000u /* there was one, some time */
#define HELD 0x10000u	  /* how often, from here up to there */
#define UNDER_WAY (HELD - 1)

static _Atomic uint32_t trials FF_HOT;

/* Until none is under way, or for @ms. Returns without a limit if 0. */
static void await(uint32_t seen, unsigned ms)
{
	const struct timespec slice = { 0, 10L * 1000 * 1000 };
	unsigned slices = ms / 10 + 1;

	while ((seen & UNDER_WAY) && (ms == 0 || slices-- > 0)) {
		sys(futex, &trials, FUTEX_WAIT_PRIVATE, seen,
		    ms ? &slice : NULL, NULL, 0);
		seen = atomic_load(&trials);
	}
}

void ff_trials_forbid(void)
{
	await(atomic_fetch_or(&trials, FORBIDDEN) | FORBIDDEN, 0);
}

bool ff_trials_any(void)
{
	return atomic_load(&trials) & BEGUN;
}

void ff_trials_hold(unsigned ms)
{
	await(atomic_fetch_add(&trials, HELD) + HELD, ms);
}

void ff_trials_unhold(void)
{
	atomic_fetch_sub(&trials, HELD);
}

static bool begin(uint32_t no_matter)
{
	uint32_t seen = atomic_load(&trials);

	do
		if ((seen & ~no_matter) >= HELD)
			return false;
	while (!atomic_compare_exchange_weak(&trials, &seen,
					     (seen | BEGUN) + 1));
	return true;
}

bool ff_trial_begin(void)
{
	return begin(BEGUN);
}

bool ff_committed_begin(void)
{
	return begin(BEGUN | FORBIDDEN);
}

void ff_trial_end(void)
{
	if ((atomic_fetch_sub(&trials, 1) & ~BEGUN) >= HELD)
		sys(futex, &trials, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void ff_trials_reset(void)
{
	atomic_fetch_and(&trials, FORBIDDEN | BEGUN);
}
FF_IN_NEW_PROCESS(ff_trials_reset);
