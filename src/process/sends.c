#include "process/sends.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "arch/hot.h"
#include "host/newborn.h"
#include "host/sys.h"

/* How many threads expect one, and, above, how many send. Who sends goes first,
 * or it would wait for ever beside many that fork. */
#define EXPECTS 1u
#define SENDS 0x10000u
static _Atomic uint32_t traffic FF_HOT;
static _Atomic bool ever FF_HOT;

/* Others than those of this thread are in another process. */
static void reset(void)
{
	atomic_store(&traffic, 0);
}
FF_IN_NEW_PROCESS(reset);

static void await_change(uint32_t seen)
{
	const struct timespec slice = { 0, 1000 * 1000 };

	sys(futex, &traffic, FUTEX_WAIT_PRIVATE, seen, &slice, NULL, 0);
}

static void take_away(uint32_t one)
{
	if (atomic_fetch_sub(&traffic, one) >= SENDS)
		sys(futex, &traffic, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL,
		    0);
}

bool ff_sigsys_expect(void)
{
	uint32_t seen = atomic_load(&traffic);
	unsigned slices = 0;

	atomic_store(&ever, true);
	while (seen >= SENDS ||
	       !atomic_compare_exchange_weak(&traffic, &seen, seen + EXPECTS)) {
		if (seen < SENDS)
			continue;
		if (slices++ == FF_SENDS_MS)
			return false;
		await_change(seen);
		seen = atomic_load(&traffic);
	}
	return true;
}

void ff_sigsys_came(void)
{
	take_away(EXPECTS);
}

bool ff_sigsys_send_begin(ff_sigset *ret_mask)
{
	uint32_t seen;
	unsigned slices;

	if (!atomic_load(&ever))
		return false;
	/* A handler of this thread that forks would wait for itself. */
	*ret_mask = ff_block_with_sigsys();
	seen = atomic_fetch_add(&traffic, SENDS) + SENDS;
	for (slices = 0; seen % SENDS && slices < FF_SENDS_MS; slices++) {
		await_change(seen);
		seen = atomic_load(&traffic);
	}
	return true;
}

void ff_sigsys_send_end(ff_sigset mask)
{
	take_away(SENDS);
	ff_setmask(mask);
}
