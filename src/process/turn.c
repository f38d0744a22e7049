#include "process/turn.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "arch/hot.h"
#include "host/clock.h"
#include "host/ground.h"
#include "host/newborn.h"
#include "host/sys.h"

#define HELD 1u
#define AWAITED 2u
#define ONE 4u /* above: its number, so that who is stuck can be told */
#define NUMBER (~(HELD | AWAITED))

/* What a fork may take, the copy of page tables aside (H-E5). */
#define PATIENCE_NS ((int64_t)1000 * 1000 * 1000)
/* A copy takes some 20 to 100 us/MiB. */
#define NS_PER_MIB ((int64_t)100 * 1000)
/* Who was woken in vain may not wake the next. */
#define SLICE_NS (100L * 1000 * 1000)

static _Atomic uint32_t turn FF_HOT;

/* Is it looked at for the first time, or has another got it since? */
static bool is_news(const struct ff_turn_wait *wait, uint32_t seen)
{
	return !wait->since_ns || (wait->seen ^ seen) & NUMBER;
}

static bool is_stuck(struct ff_turn_wait *wait)
{
	const int64_t waited = ff_now_ns() - wait->since_ns;
	uint64_t resident, writable;

	if (waited < PATIENCE_NS)
		return false;
	if (!wait->patience_ns)
		wait->patience_ns =
			PATIENCE_NS +
			(ff_process_size(&resident, &writable) ?
				 (int64_t)(resident >> 20) * NS_PER_MIB :
				 0);
	return waited >= wait->patience_ns;
}

uint32_t ff_turn_try(struct ff_turn_wait *wait)
{
	uint32_t seen = atomic_load(&turn), mine;

	for (;;) {
		if (seen & HELD && (is_news(wait, seen) || !is_stuck(wait)))
			return 0;
		mine = ((seen & NUMBER) + ONE) | HELD;
		/* There may be more who wait than the one that was woken. */
		if (wait->since_ns || seen & AWAITED)
			mine |= AWAITED;
		if (atomic_compare_exchange_weak(&turn, &seen, mine))
			return mine & ~AWAITED;
	}
}

void ff_turn_await(struct ff_turn_wait *wait)
{
	const struct timespec slice = { 0, SLICE_NS };
	uint32_t seen = atomic_load(&turn);

	if (is_news(wait, seen))
		wait->since_ns = ff_now_ns();
	wait->seen = seen;
	do
		if (!(seen & HELD))
			return;
	while (!(seen & AWAITED) &&
	       !atomic_compare_exchange_weak(&turn, &seen, seen | AWAITED));
	sys(futex, &turn, FUTEX_WAIT_PRIVATE, seen | AWAITED, &slice, NULL, 0);
}

void ff_turn_give(uint32_t mine)
{
	uint32_t seen = atomic_load(&turn);

	do
		if ((seen & ~AWAITED) != mine)
			return;
	while (!atomic_compare_exchange_weak(&turn, &seen, seen & NUMBER));
	if (seen & AWAITED)
		sys(futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void ff_turn_reset(void)
{
	atomic_store(&turn, 0);
}
FF_IN_NEW_PROCESS(ff_turn_reset);
