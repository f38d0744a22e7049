#include "lazy/trials.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "host/hot.h"
#include "host/sys.h"

#define FORBIDDEN 0x80000000u

static _Atomic uint32_t trials FF_HOT;

void ff_trials_forbid(void)
{
	uint32_t seen = atomic_fetch_or(&trials, FORBIDDEN) | FORBIDDEN;

	while (seen != FORBIDDEN) {
		sys(futex, &trials, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
		seen = atomic_load(&trials);
	}
}

bool ff_trial_begin(void)
{
	uint32_t seen = atomic_load(&trials);

	do
		if (seen & FORBIDDEN)
			return false;
	while (!atomic_compare_exchange_weak(&trials, &seen, seen + 1));
	return true;
}

void ff_trial_end(void)
{
	if (atomic_fetch_sub(&trials, 1) & FORBIDDEN)
		sys(futex, &trials, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void ff_trials_reset(void)
{
	atomic_fetch_and(&trials, FORBIDDEN);
}
