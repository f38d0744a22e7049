/*
 * Waiting. On trial a child has exit signal 0, and calls with __WALL or
 * __WCLONE would find it: a program that makes such calls is told apart, and
 * gets real forks from then on. All other calls just go on.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include "host/next.h"
#include "lazy/child.h"
#include "lazy/trials.h"
#include "lend/borrower.h"
#include "preload/preload.h"

static void look_at(int options)
{
	/* A borrower and a lazy child have no children: they had to leave to
	 * have any. The trials they know of are their parent's. */
	if ((options & (int)(__WALL | __WCLONE)) && !ff_child.active &&
	    !ff_is_borrower())
		ff_trials_forbid();
}

FF_EXPORT pid_t waitpid(pid_t pid, int *status, int options)
{
	look_at(options);
	return FF_NEXT(waitpid)(pid, status, options);
}

pid_t __waitpid(pid_t pid, int *status, int options);
FF_EXPORT pid_t __waitpid(pid_t pid, int *status, int options)
{
	look_at(options);
	return FF_NEXT(__waitpid)(pid, status, options);
}

FF_EXPORT pid_t wait3(int *status, int options, struct rusage *usage)
{
	look_at(options);
	return FF_NEXT(wait3)(status, options, usage);
}

FF_EXPORT pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	look_at(options);
	return FF_NEXT(wait4)(pid, status, options, usage);
}

void ff_wait_raw(int options)
{
	look_at(options);
}

FF_EXPORT int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	look_at(options);
	return FF_NEXT(waitid)(type, id, info, options);
}
