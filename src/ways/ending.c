/*
 * Before the end of this program. Runs on the program's stack, perhaps
 * in a signal handler.
 *
 * Hazards
 *  H-D21 An exec ends the other threads where they are. One that waits for its
 *       child on trial would leave a child that the new program never made,
 *       without an exit signal, or a committed one without its memory: such
 *       forks come to their end first, and none begins. So do they before
 *       _exit(), as their children's memory ends with the process; exit()
 *       waits for libc's locks, which fork holds.
 *  H-D22 Who stands in is a child that the program does not know: what comes
 *       after it (another program, whoever takes its orphans) shall not meet
 *       it. It ends when its child has exec'ed.
 */
#include "ways/ending.h"

#include <errno.h>
#include <stdatomic.h>

#include "host/identity.h"
#include "host/sandbox.h"
#include "process/filter.h"
#include "process/stance.h"
#include "process/standins.h"
#include "process/trials.h"
#include "site/site.h"
#include "site/tally_line.h"
#include "tell/options.h"
#include "tell/stats.h"

/* A trial is handed over, or taken back, when its time is up. */
#define AND_A_LITTLE_MS 1000

/* Where it may not be asked there is nothing of ours to settle, or to learn. */
static bool is_same(void)
{
	return ff_filter_allows(FF_ASK_getpid) && ff_identity() == FF_SAME;
}

static bool settle_children(enum ff_ending how)
{
	bool holds = how != FF_ENDING_WORDS && ff_trials_any();

	if ((!holds && !ff_any_standin()) || ff_mediated ||
	    atomic_load(&ff_sandboxed) || !is_same())
		return false;
	if (holds)
		ff_trials_hold(ff_options.budget_ms + AND_A_LITTLE_MS);
	ff_standins_await(ff_options.budget_ms);
	return holds;
}

bool ff_ending(enum ff_ending how)
{
	bool execs_of_site = how == FF_ENDING_EXEC && ff_site_is_born_real();
	int error = errno;
	bool held = settle_children(how);

	if (!ff_is_on() || (!execs_of_site && !ff_options.stats) ||
	    !ff_flight_begin())
		return held;
	if (ff_options.stats ?
		    ff_filter_lets_tell() && ff_identity() == FF_SAME :
		    is_same()) {
		if (how == FF_ENDING_EXEC)
			ff_site_child_execs();
		ff_stats_write();
		if (ff_options.stats)
			ff_tally_write();
	}
	ff_flight_end();
	errno = error;
	return held;
}

void ff_exec_failed(void)
{
	ff_trials_unhold();
}
