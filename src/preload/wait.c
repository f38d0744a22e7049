/*
 * Waiting. On trial a child has exit signal 0, and calls with __WALL or
 * __WCLONE would find it: a program that makes such calls is told apart, and
 * gets real forks from then on. They would find who stands in for this process
 * as well, so they look first whom they find; under a filter nothing may be
 * called but what the program calls, which is called again where it has found
 * such a one. All other calls just go on.
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "host/identity.h"
#include "host/sandbox.h"
#include "host/sys.h"
#include "lend/child/borrower.h"
#include "preload/next.h"
#include "preload/preload.h"
#include "process/filter.h"
#include "process/handed.h"
#include "process/stance.h"
#include "process/standins.h"
#include "process/trials.h"

/* A borrower and a lazy child have no children: they had to leave to have any.
 * What they know of is their parent's, as it is in any borrowed memory. */
static bool may_have_children(void)
{
	return !ff_mediated && !ff_is_borrower();
}

/* Under a filter we ask nothing. */
static bool has_children(void)
{
	return may_have_children() && !atomic_load(&ff_sandboxed);
}

static bool is_for_all(int options)
{
	return options & (int)(__WALL | __WCLONE);
}

/* A borrower that we have not made? To forbid its lender trials does no harm,
 * and a call that a filter may not allow does. */
static bool is_in_borrowed(void)
{
	return ff_filter_allows(FF_ASK_getpid) && ff_identity() == FF_BORROWED;
}

/* Nor may what looks be called, where nobody could ask for it. */
static bool may_look(void)
{
	return !atomic_load(&ff_sandboxed) && ff_filter_allows(FF_ASK_waitid);
}

static bool finds_all(int options)
{
	if (!is_for_all(options) || !may_have_children())
		return false;
	if (!atomic_load(&ff_sandboxed)) {
		if (is_in_borrowed())
			return false;
		ff_trials_forbid();
	}
	/* Where there never was one, nobody stands in, either. */
	return (may_look() && ff_trials_any()) || ff_any_standin() ||
	       ff_knows_handed(0);
}

/* Under a filter it is one until a wait has told so. Who only looks might find
 * who stands in. */
static bool may_be_handed(pid_t pid, int options)
{
	if (atomic_load(&ff_sandboxed))
		return (pid > 0 || !(options & (int)WNOWAIT)) &&
		       ff_knows_handed(pid);
	return pid > 0 ? ff_is_handed(pid) : ff_any_handed();
}

/* A child that was handed over while in execve is the program's to wait for,
 * though it may be of the other class as yet. */
static int with_handed(pid_t pid, int options)
{
	if (!may_have_children() || (options & (int)__WCLONE) ||
	    !may_be_handed(pid, options))
		return options;
	return options | (int)__WALL;
}

void ff_tidy(void)
{
	if ((ff_any_standin() || ff_knows_handed(0)) && has_children() &&
	    ff_identity() == FF_SAME) {
		ff_standins_reap();
		ff_any_handed(); /* H-D27 */
	}
}

/* Is there something of ours to look past? */
static bool looks_past(pid_t pid, int *options)
{
	ff_tidy();
	*options = with_handed(pid, *options);
	return finds_all(*options);
}

/* What is waited for; by syscall(), which no cancellation ends? */
struct wait {
	idtype_t type;
	id_t id;
	int options;
	bool raw;
};

static int call_waitid(const struct wait *w, siginfo_t *info, int options,
		       struct rusage *usage)
{
	return w->raw ? (int)ff_next_syscall(SYS_waitid, w->type, w->id, info,
					     options, usage) :
			FF_NEXT(waitid)(w->type, w->id, info, options);
}

static int look(const struct wait *w, siginfo_t *info)
{
	info->si_pid = 0;
	return call_waitid(w, info, w->options | WNOWAIT, NULL);
}

/*
 * H-D7: the next child of which there is something to tell, and which is the
 * program's; it is left as it is. 0: none yet; -1: errno.
 */
static pid_t find(const struct wait *w, siginfo_t *ret_info)
{
	do {
		ff_standins_settle();
		if (look(w, ret_info) < 0)
			return -1;
	} while (ff_standin_found(ret_info) ||
		 (ret_info->si_pid > 0 && ff_handed_unheard(ret_info->si_pid)));
	/* H-D6: it has told its parent before that has reaped its child. */
	if (ret_info->si_pid > 0)
		ff_standins_settle();
	return ret_info->si_pid;
}

/* Whatever was to be told, another thread has heard it. */
static bool is_lost(long rc)
{
	return rc == 0 || (rc < 0 && errno == ECHILD);
}

#define WAIT4_OPTIONS                       \
	(WNOHANG | WUNTRACED | WCONTINUED | \
	 (int)(__WNOTHREAD | __WCLONE | __WALL))

static long call_wait4(bool raw, pid_t pid, int *status, int options,
		       struct rusage *usage)
{
	return raw ? ff_next_syscall(SYS_wait4, pid, status, options, usage) :
		     FF_NEXT(wait4)(pid, status, options, usage);
}

/* A wait has told of @pid. True: it is the program's. */
static bool is_programs(pid_t pid, bool ended)
{
	if (ff_standin_told(pid, ended))
		return false;
	if (ended && ff_knows_handed(pid))
		ff_handed_remove(pid);
	return true;
}

/* What the program itself has called is called until it tells nobody of ours.
 * @status is not read before the kernel has written to it. */
static pid_t wait_past_ours(pid_t pid, int *status, int options,
			    struct rusage *usage, bool raw)
{
	int own, *told = status ? status : &own;
	long rc;

	do
		rc = call_wait4(raw, pid, told, options, usage);
	while (rc > 0 &&
	       !is_programs((pid_t)rc, WIFEXITED(*told) || WIFSIGNALED(*told)));
	return (pid_t)rc;
}

static pid_t wait_for_all(pid_t pid, int *status, int options,
			  struct rusage *usage, bool raw)
{
	struct wait w = { .type = pid == -1 ? P_ALL :
				  pid > 0   ? P_PID :
					      P_PGID,
			  .id = (id_t)(pid < -1	 ? -pid :
				       pid == -1 ? 0 :
						   pid),
			  .options = options | WEXITED,
			  .raw = raw };
	siginfo_t info;
	pid_t found;
	long rc;

	if (!may_look())
		return wait_past_ours(pid, status, options, usage, raw);
	if ((options & ~WAIT4_OPTIONS) || pid == INT_MIN)
		return (pid_t)call_wait4(raw, pid, status, options, usage);
	do {
		found = find(&w, &info);
		if (found <= 0)
			return found;
		rc = call_wait4(raw, found, status, options | WNOHANG, usage);
	} while (is_lost(rc));
	return (pid_t)rc;
}

static pid_t tidied(pid_t rc)
{
	ff_tidy();
	return rc;
}

FF_EXPORT pid_t wait(int *status)
{
	int options = 0;

	if (looks_past(-1, &options))
		return wait_for_all(-1, status, options, NULL, false);
	return tidied(FF_NEXT(wait)(status));
}

FF_EXPORT pid_t waitpid(pid_t pid, int *status, int options)
{
	if (looks_past(pid, &options))
		return wait_for_all(pid, status, options, NULL, false);
	return tidied(FF_NEXT(waitpid)(pid, status, options));
}

pid_t __waitpid(pid_t pid, int *status, int options);
FF_EXPORT pid_t __waitpid(pid_t pid, int *status, int options)
{
	if (looks_past(pid, &options))
		return wait_for_all(pid, status, options, NULL, false);
	return tidied(FF_NEXT(__waitpid)(pid, status, options));
}

FF_EXPORT pid_t wait3(int *status, int options, struct rusage *usage)
{
	if (looks_past(-1, &options))
		return wait_for_all(-1, status, options, usage, false);
	return tidied(FF_NEXT(wait3)(status, options, usage));
}

FF_EXPORT pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
	if (looks_past(pid, &options))
		return wait_for_all(pid, status, options, usage, false);
	return tidied(FF_NEXT(wait4)(pid, status, options, usage));
}

/* The kernel says so of nobody, and whether @info can be written to; it does
 * where a wait fails, too. */
static int tell_nothing(siginfo_t *info, int rc)
{
	if (sys(waitid, P_PID, INT_MAX, info, WEXITED | WNOHANG, NULL) !=
	    -EFAULT)
		return rc;
	errno = EFAULT;
	return -1;
}

/* As wait_past_ours(). Who only looks would find the same one again. */
static int wait_by_id_past_ours(const struct wait *w, siginfo_t *info,
				struct rusage *usage)
{
	siginfo_t own, *told = info ? info : &own;
	int rc;

	own.si_pid = 0;
	do
		rc = call_waitid(w, told, w->options, usage);
	while (rc == 0 && told->si_pid > 0 && !(w->options & WNOWAIT) &&
	       !is_programs(told->si_pid, told->si_code == CLD_EXITED ||
						  told->si_code == CLD_KILLED ||
						  told->si_code == CLD_DUMPED));
	return rc;
}

/* @usage is the kernel's fifth argument, which libc's has not. */
static int wait_by_id(const struct wait *w, siginfo_t *info,
		      struct rusage *usage)
{
	struct wait one = *w;
	siginfo_t found;
	pid_t pid;
	int rc;

	if (!may_look())
		return wait_by_id_past_ours(w, info, usage);
	one.type = P_PID;
	do {
		pid = find(w, &found);
		if (pid <= 0)
			return tell_nothing(info, pid);
		found.si_pid = 0;
		one.id = (id_t)pid;
		rc = call_waitid(&one, info ? info : &found,
				 w->options | WNOHANG, usage);
		if (rc == 0 && info)
			found.si_pid = info->si_pid;
	} while (is_lost(rc == 0 ? found.si_pid : rc));
	return rc;
}

FF_EXPORT int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	struct wait w = { type, id, options, false };

	if (looks_past(type == P_PID ? (pid_t)id : -1, &w.options))
		return wait_by_id(&w, info, NULL);
	return tidied(FF_NEXT(waitid)(type, id, info, options));
}

bool ff_wait_raw(long nr, const long *args, long *ret_rc)
{
	const bool by_id = nr == SYS_waitid;
	struct wait w = { (idtype_t)args[0], (id_t)args[1],
			  (int)args[by_id ? 3 : 2], true };

	pid_t pid = by_id ? -1 : (pid_t)args[0];

	ff_tidy();
	if (by_id && w.type == P_PID)
		pid = (pid_t)w.id;
	w.options = with_handed(pid, w.options);
	if (!finds_all(w.options) || !ff_next_syscall)
		return false;
	if (by_id)
		*ret_rc = wait_by_id(&w, (siginfo_t *)args[2],
				     (struct rusage *)args[4]);
	else
		*ret_rc =
			wait_for_all((pid_t)args[0], (int *)args[1], w.options,
				     (struct rusage *)args[3], true);
	return true;
}
