/*
 * Whether a vfork or a fork is lent its parent's memory. Runs on the program's
 * stack, in any thread, possibly in a signal handler.
 */
#include "ways/lend.h"

#include <errno.h>
#include <stddef.h>
#include <sys/single_threaded.h>

#include "host/coredump.h"
#include "host/sandbox.h"
#include "lend/fence.h"
#include "lend/parent/ground.h"
#include "lend/parent/vfork.h"
#include "lend/record.h"
#include "process/noted.h"
#include "tell/options.h"
#include "ways/decide.h"

static bool may_lend(void)
{
	int error = errno;
	bool may = !ff_why_not_lend();

	errno = error;
	return may;
}

void ff_lend_to_vfork(const struct ff_caller *caller,
		      const struct ff_libc *libc)
{
	if (ff_options.vfork_mode != FF_MODE_AUTO || !ff_flight_begin())
		return;
	if (may_lend())
		ff_lend(caller, libc, NULL);
	ff_flight_end();
}

bool ff_may_lend_to_forks(void)
{
	return ff_options.lend_mode == FF_LEND_GUARDED && ff_fence_possible();
}

bool ff_lend_wants_to_know(const struct ff_record *record)
{
	return __libc_single_threaded && !ff_record_is_barred(record);
}

void ff_lend_to_fork(const struct ff_caller *caller, const struct ff_libc *libc,
		     struct ff_record *record)
{
	if (ff_options.fork_mode == FF_FORK_REAL || ff_fork_why_never() ||
	    !ff_flight_begin())
		return;
	if (!ff_core_dump_kills_sharers() && !ff_noted_any() &&
	    ff_lend_wants_to_know(record) && ff_record_strays_little(record) &&
	    ff_lend_ground_of_forks() && may_lend())
		ff_lend(caller, libc, record);
	ff_flight_end();
}
