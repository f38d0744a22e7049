/*
 * Waiting. On trial a child has exit signal 0, and calls with __WALL or
 * __WCLONE would find it: a program that makes such calls is told apart, and
 * gets real forks from then on. They would find who stands in for this process
 * as well: it is waited for again then. All other calls just go on.
 */
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "host/next.h"
#include "lazy/child.h"
#include "lazy/handed.h"
#include "lazy/standin.h"
#include "lazy/trials.h"
#include "lend/borrower.h"
#include "preload/preload.h"

/* A borrower and a lazy child have no children: they had to leave to have any.
 * What they know of is their parent's. */
static bool has_children(void)
{
	return !ff_child.active && !ff_is_borrower();
}

static bool finds_all(int options)
{
	return (options & (int)(__WALL | __WCLONE)) && has_children();
}

/* A child that was handed over while in execve is the program's to wait for,
 * though it may be of the other class as yet. */
static int with_handed(pid_t pid, int options)
{
	if (!has_children() || (options & (int)__WCLONE) ||
	    !(pid > 0 ? ff_is_handed(pid) : ff_any_handed()))
		return options;
	return options | (int)__WALL;
}

static void prepare(void)
{
	ff_trials_forbid();
	ff_standins_settle();
}

/* Is there something of ours to look past? */
static bool looks_past(pid_t pid, int *options)
{
	*options = with_handed(pid, *options);
	return finds_all(*options);
}

static pid_t wait_for_all(pid_t pid, int *status, int options,
			  struct rusage *usage)
{
	struct rusage used;
	int ended = 0;
	pid_t found;

	do {
		prepare();
		found = FF_NEXT(wait4)(pid, &ended, options, &used);
	} while (ff_standin_found(found));
	if (found > 0 && status)
		*status = ended;
	if (found > 0 && usage)
		*usage = used;
	return found;
}

FF_EXPORT pid_t wait(int *status)
{
	int options = 0;

	if (looks_past(-1, &options))
		return wait_for_all(-1, status, options, NULL);
	return FF_NEXT(wait)(status);
}

FF_EXPORT pid_t waitpid(pid_t pid, int *status, int options)
{
	if (looks_past(pid, &options))
		return wait_for_all(pid, status, options, NULL);
	return FF_NEXT(waitpid)(pid, status, options);
}

pid_t __waitpid(pid_t pid, int *status, int options);
FF_EXPORT pid_t __waitpid(pid_t pid, int *status, int options)
{
	if (looks_past(pid, &options))
		return wait_for_all(pid, status, options, NULL);
	return FF_NEXT(__waitpid)(pid, status, options);
}

FF_EXPORT pid_t wait3(int *status, int options, struct rusage *usage)
{
	if (looks_past(-1, &options))
		return wait_for_all(-1, status, options, usage);
	return FF_NEXT(wait3)(status, options, usage);
}

FF_EXPORT pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	if (looks_past(pid, &options))
		return wait_for_all(pid, status, options, usage);
	return FF_NEXT(wait4)(pid, status, options, usage);
}

void ff_wait_raw(int options)
{
	if (finds_all(options))
		prepare();
}

FF_EXPORT int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	siginfo_t found;
	int rc;

	if (!looks_past(type == P_PID ? (pid_t)id : -1, &options))
		return FF_NEXT(waitid)(type, id, info, options);
	do {
		prepare();
		found.si_pid = 0;
		rc = FF_NEXT(waitid)(type, id, &found, options);
	} while (rc == 0 && ff_standin_found(found.si_pid));
	if (rc == 0 && info)
		*info = found;
	return rc;
}
