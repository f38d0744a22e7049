/*
 * Whether a vfork or a fork is lent its parent's memory. Runs on the program's
 * stack, in any thread, possibly in a signal handler.
 */
#include "ways/lend.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#include "host/coredump.h"
#include "host/sandbox.h"
#include "lazy/strays.h"
#include "lend/fence.h"
#include "lend/parent/ground.h"
#include "lend/parent/vfork.h"
#include "lend/record.h"
#include "libc/threads.h"
#include "process/filter.h"
#include "process/noted.h"
#include "process/stance.h"
#include "site/site.h"
#include "tell/options.h"
#include "ways/account.h"
#include "ways/decide.h"
#include "ways/fork.h"
#include "ways/settings.h"

static const char *why_not_lend(enum ff_need need)
{
	int error = errno;
	const char *why = ff_why_not_lend(need);

	errno = error;
	return why;
}

void ff_lend_to_vfork(const struct ff_caller *caller,
		      const struct ff_libc *libc)
{
	const struct ff_tally_call call = { (const void *)caller->pc, "vfork" };
	const char *why;

	ff_settings_complete();
	if (!ff_may_be_ours(FF_PLACE_VFORK, FF_MODE_AUTO) || !ff_flight_begin())
		return;
	ff_fork_setup();
	why = ff_in_force() && ff_filter_lets_us(false, false) ?
		      why_not_lend(FF_NEED_VFORK) :
		      "";
	if (!why &&
	    ff_mode_at(ff_site_of(call.at), FF_PLACE_VFORK) != FF_MODE_AUTO)
		why = "asked for";
	if (!why) {
		ff_lend(caller, libc, NULL);
		why = "its caller's frame or the ground allows no loan";
	}
	if (*why)
		ff_account_libc(&call, why);
	ff_flight_end();
}

static bool may_lend_to_forks(void)
{
	return ff_may_be_ours(FF_PLACE_LEND, FF_LEND_GUARDED) &&
	       ff_fence_possible();
}

/* Would it help to look at a lazy child of this route? */
static bool wants_to_know(const struct ff_record *record)
{
	return ff_libc_made_no_thread() && !ff_record_is_barred(record);
}

/* Where it is asked for, a fork is lent before anything is known of its route. */
static bool is_to_be_lent(struct ff_site *site, const struct ff_record *record)
{
	const int mode = ff_mode_at(site, FF_PLACE_FORK);

	return mode != FF_FORK_REAL &&
	       ff_mode_at(site, FF_PLACE_LEND) == FF_LEND_GUARDED &&
	       (mode == FF_FORK_LENT || ff_record_strays_little(record));
}

/* Returns if this is none that is lent, or nothing was done. */
static void lend_to_fork(const struct ff_caller *caller,
			 const struct ff_libc *libc, struct ff_record *record)
{
	struct ff_site *site = ff_site_of((void *)caller->pc);

	if (ff_fork_why_never() || !ff_flight_begin())
		return;
	/* A child that becomes a fork is a copy. */
	if (!ff_copies_are_denied() && !ff_noted_any() &&
	    wants_to_know(record) && ff_filter_lets_us(false, true) &&
	    is_to_be_lent(site, record) && !why_not_lend(FF_NEED_FENCE) &&
	    !ff_core_dump_kills_sharers() && ff_lend_ground_of_forks())
		ff_lend(caller, libc, record);
	ff_flight_end();
}

/* Somebody wants to know of forks: then none is lent. */
static atomic_bool has_handlers;

void ff_fork_has_handlers(void)
{
	atomic_store(&has_handlers, true);
}

long ff_fork_or_lend(const struct ff_caller *caller, const struct ff_libc *libc,
		     ff_forking_call call, void *arg)
{
	const void *at = (const void *)caller->pc;
	struct ff_strays strays = { 0, FF_STRAYS_UNKNOWN };
	struct ff_record *record = NULL;
	long pid;

	ff_settings_complete();
	if (may_lend_to_forks() && !ff_mediated &&
	    !atomic_load(&has_handlers) && !ff_site_is_late(ff_site_of(at)))
		record = ff_record_of(caller);
	if (!record)
		return ff_fork(call, arg, at, "fork");
	lend_to_fork(caller, libc, record);
	if (wants_to_know(record))
		strays.frame = caller->sp;
	pid = ff_fork_watched(call, arg, at, "fork", &strays);
	if (pid > 0 && strays.frame)
		ff_record_learn(record, strays.pages);
	return pid;
}
