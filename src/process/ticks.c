/*
 * Runs in the parent, in any thread.
 *
 * Hazard
 *  H-G6 A process may have the count switched off (PR_SET_TSC), and dies of
 *       reading it. The kernel is asked once, as that is inherited, and after
 *       the program has changed it nothing is read any more.
 */
#include "process/ticks.h"

#include <stdatomic.h>
#include <sys/prctl.h>

#include "arch/arch.h"
#include "arch/hot.h"
#include "host/clock.h"
#include "host/sys.h"
#include "process/filter.h"
#include "tell/options.h"

enum {
	NOT_ASKED,
	MAY,
	MAY_NOT,
};

static _Atomic int state FF_HOT;

/* When the first was read, for who writes it down. */
static struct ff_ticks_rate first;

static int ask(void)
{
	int answer = 0, seen = NOT_ASKED, found = MAY_NOT;

	/* By and by, where that is not known yet. */
	if (!ff_filter_allows(FF_ASK_get_tsc))
		return MAY_NOT;
	if (sys(prctl, PR_GET_TSC, &answer) == 0 && answer == PR_TSC_ENABLE)
		found = MAY;
	if (found == MAY && ff_options.stats)
		first = (struct ff_ticks_rate){ ff_ticks(), ff_now_ns() };
	/* H-G6: unless the program has said something meanwhile. */
	if (atomic_compare_exchange_strong(&state, &seen, found))
		return found;
	return seen;
}

uint64_t ff_ticks_begin(void)
{
	int seen = atomic_load(&state);

	if (seen == NOT_ASKED)
		seen = ask();
	return seen == MAY ? ff_ticks() : 0;
}

uint64_t ff_ticks_since(uint64_t from)
{
	uint64_t now;

	if (!from || atomic_load(&state) != MAY)
		return 0;
	now = ff_ticks();
	return now > from ? now - from : 1;
}

bool ff_ticks_rate(struct ff_ticks_rate *ret_rate)
{
	const uint64_t ticks = ff_ticks_since(first.ticks);

	if (!ticks)
		return false;
	ret_rate->ticks = ticks;
	ret_rate->ns = ff_now_ns() - first.ns;
	return ret_rate->ns > 0;
}

void ff_ticks_refuse(void)
{
	atomic_store(&state, MAY_NOT);
}
