/*
 * Hazard
 *  H-V4 A child that became a fork, or whose envoy is the program's child now,
 *       leaves a process behind that the program must not see: it is reaped,
 *       and its SIGCHLD taken, while that is blocked. In a program whose other
 *       threads wait for any child, or take SIGCHLD, they may be first.
 */
#include "lend/parent/reap.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "host/signals.h"
#include "host/sys.h"
#include "lend/child/envoy.h"
#include "lend/loan.h"

static void give_signal(siginfo_t *info)
{
	sys(rt_sigqueueinfo, ff_getpid(), SIGCHLD, info);
}

static bool is_gone(pid_t child)
{
	return child && sys(waitid, P_PID, child, NULL,
			    WEXITED | WNOHANG | WNOWAIT, NULL) == -ECHILD;
}

/*
 * H-V4. The signal of another child may have merged with that of ours, or
 * ours with it: then it is made anew. One too many is better than none. Where
 * nobody waits for children (SA_NOCLDWAIT), what is known of @programs is that it
 * is gone.
 */
static void take_sigchld(pid_t child, pid_t programs)
{
	const ff_sigset sigchld = FF_SIG(SIGCHLD);
	const struct timespec now = { 0, 0 };
	siginfo_t info, other = { 0 };

	if (sys(rt_sigtimedwait, &sigchld, &info, &now, sizeof(sigchld)) !=
	    SIGCHLD)
		return;
	if (info.si_pid != child)
		give_signal(&info);
	else if (sys(waitid, P_ALL, 0, &other,
		     WEXITED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT,
		     NULL) == 0 &&
		 other.si_pid)
		give_signal(&other);
	else if (is_gone(programs))
		give_signal(&(siginfo_t){ .si_signo = SIGCHLD,
					  .si_code = CLD_EXITED,
					  .si_pid = programs });
}

void ff_reap(pid_t child, pid_t programs)
{
	siginfo_t info;
	long rc;

	do
		rc = sys(waitid, P_PID, child, &info, WEXITED, NULL);
	while (rc == -EINTR);
	take_sigchld(child, programs);
}

/* Its stop, and the end of that, are nobody's to be told of. */
static void take_words(pid_t child)
{
	siginfo_t info;

	sys(waitid, P_PID, child, &info, WSTOPPED | WCONTINUED | WNOHANG, NULL);
	take_sigchld(child, 0);
}

void ff_reap_around_envoy(struct ff_loan *loan)
{
	struct ff_envoy *e = &loan->envoy;

	if (!e->pid)
		return;
	if (atomic_load(&e->word) != FF_ENVOY_ORDERED || !ff_envoy_is_away(e)) {
		if (atomic_load(&e->here))
			sys(kill, e->pid, SIGKILL);
		ff_reap(e->pid, loan->own ? loan->own : loan->child);
		return;
	}
	if (e->was_stopped)
		take_words(e->pid);
	ff_reap(loan->child, e->pid);
	loan->result = e->pid;
}
