/*
 * The child, from its birth to exec. It runs in its parent's memory, on a
 * stack of its own, while the thread that made it is suspended; the other
 * threads of the program run on.
 *
 * Rules: raw system calls only. No errno, no lock, no allocation, no thread
 * local storage, no call that leaves this object (a test looks at that): the
 * dynamic linker, too, is the parent's. The plan is read, its report
 * written, nothing else.
 *
 * Hazards:
 * H-S4 A handler of the program that ran here would run in the parent's
 *      memory. All signals are blocked from before the clone; before the mask
 *      is given back, no handler is left: the kernel took them away
 *      (CLONE_CLEAR_SIGHAND, Linux 5.5), or they are taken away here.
 * H-S5 Credentials are changed by raw calls: libc's would change those of
 *      all threads it knows, which are the parent's. The signal at the
 *      parent's death is cleared by that, so it is set after it, and a pidfd
 *      tells of a parent that died before. Its pid does not: seen from another
 *      pid namespace it is 0, alive or dead.
 * H-S6 Before Linux 5.16 a core dump kills all who share the memory. The
 *      limit is 0 until right before exec; with such a signal pending it
 *      stays, and the child dies of that signal without a core.
 */
#include "spawn/child/child.h"

#include <errno.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "host/sys.h"
#include "spawn/steps.h"

#define SIGNALS 64
#define LIBC_SIGNALS (FF_SIG(32) | FF_SIG(33))
#define IOPRIO_WHO_PROCESS 1
#define EXIT_SPAWN_FAILED 127
/* As an id it would leave all as it is: what a look-up says that failed. */
#define NOBODY (-1)

static void __attribute__((noreturn))
child_fail(struct ff_plan *plan, int error, int phase, unsigned index)
{
	plan->report.phase = (uint8_t)phase;
	plan->report.index = index;
	plan->report.error = error ? error : ECHILD;
	if (plan->hidden[FF_HIDDEN_REPORT] >= 0)
		sys(write, plan->hidden[FF_HIDDEN_REPORT], &plan->report,
		    sizeof(plan->report));
	for (;;)
		sys(exit_group, EXIT_SPAWN_FAILED);
}

static long child_set_disposition(int sig, void *to)
{
	struct ff_sigaction act = { .flags = 0, .restorer = NULL, .mask = 0 };

	act.handler = (void (*)(int, siginfo_t *, void *))to;
	return sys(rt_sigaction, sig, &act, NULL, sizeof(ff_sigset));
}

/* Two can't be changed, which is no error. */
static long child_set_dispositions(ff_sigset set, void *to)
{
	long rc = 0;
	int sig;

	set &= ~FF_UNBLOCKABLE;
	for (sig = 1; rc == 0 && sig <= SIGNALS; sig++)
		if (set & FF_SIG(sig))
			rc = child_set_disposition(sig, to);
	return rc;
}

static long child_begin_signals(const struct ff_plan *plan)
{
	struct ff_sigaction act;
	long rc = 0;
	int sig;

	for (sig = 1; plan->handlers && rc == 0 && sig <= SIGNALS; sig++) {
		rc = sys(rt_sigaction, sig, NULL, &act, sizeof(ff_sigset));
		if (rc == 0 && ff_is_handler(&act))
			rc = child_set_disposition(sig, (void *)SIG_DFL);
	}
	if (rc == 0 &&
	    (plan->libc_signals == FF_LIBC_SIGNALS_IGNORED ||
	     (plan->libc_signals == FF_LIBC_SIGNALS_IGNORED_WITHOUT_CLONE3 &&
	      plan->handlers)))
		rc = child_set_dispositions(LIBC_SIGNALS, (void *)SIG_IGN);
	return rc;
}

static long child_reset_ids(void)
{
	long uid = sys(getuid), gid = sys(getgid);
	long rc = sys(setresuid, -1, uid, -1);

	return rc < 0 ? rc : sys(setresgid, -1, gid, -1);
}

/* Above 0: it is; or -errno. */
static long child_is_orphan(const struct ff_plan *plan)
{
	struct pollfd parent = { .fd = plan->hidden[FF_HIDDEN_PARENT],
				 .events = POLLIN };
	long rc = parent.fd < 0 ? -EINVAL : sys(poll, &parent, 1, 0);

	if (rc != -EINVAL)
		return rc;
	/* No pidfds here, or no descriptors left to the program. */
	rc = sys(getppid);
	return rc != 0 && rc != plan->parent;
}

/* A parent that is gone will not die any more. */
static long child_tie_to_parent(const struct ff_plan *plan, int sig)
{
	long rc = sys(prctl, PR_SET_PDEATHSIG, sig, 0, 0, 0);

	if (rc == 0 && sig)
		rc = child_is_orphan(plan);
	if (rc <= 0)
		return rc;
	rc = sys(kill, ff_getpid(), sig);
	/* The init of a namespace does not kill itself so. */
	while (sig == SIGKILL)
		sys(exit_group, EXIT_SPAWN_FAILED);
	return rc;
}

#define DUMPS_CORE                                                             \
	(FF_SIG(SIGQUIT) | FF_SIG(SIGILL) | FF_SIG(SIGTRAP) |                  \
	 FF_SIG(SIGABRT) | FF_SIG(SIGBUS) | FF_SIG(SIGFPE) | FF_SIG(SIGSEGV) | \
	 FF_SIG(SIGXCPU) | FF_SIG(SIGXFSZ) | FF_SIG(SIGSYS))

/* What it is to be before exec is kept back; whether it may be, is asked. */
static long child_limit_core(struct ff_plan *plan, const struct rlimit *limit)
{
	const struct rlimit none = { 0, limit->rlim_max };
	long rc;

	if (limit->rlim_cur > limit->rlim_max)
		return -EINVAL;
	rc = sys(prlimit64, 0, RLIMIT_CORE, &none, NULL);
	if (rc == 0)
		plan->core = *limit;
	return rc;
}

static long child_forbid_core(struct ff_plan *plan)
{
	struct rlimit limit;
	long rc = sys(prlimit64, 0, RLIMIT_CORE, NULL, &limit);

	return rc < 0 ? rc : child_limit_core(plan, &limit);
}

static long child_allow_core(const struct ff_plan *plan)
{
	if (ff_pending() & DUMPS_CORE & ~plan->mask)
		return 0;
	return sys(prlimit64, 0, RLIMIT_CORE, &plan->core, NULL);
}

static long child_limit(struct ff_plan *plan, const struct ff_step *step)
{
	if (plan->no_core && step->fd == RLIMIT_CORE)
		return child_limit_core(plan, step->data);
	return sys(prlimit64, 0, step->fd, step->data, NULL);
}

static long child_step(struct ff_plan *plan, const struct ff_step *step)
{
	switch (step->kind) {
	case FF_STEP_SIGDEF:
		return child_set_dispositions(step->signals, (void *)SIG_DFL);
	case FF_STEP_SIGIGN:
		return child_set_dispositions(step->signals, (void *)SIG_IGN);
	case FF_STEP_SCHEDPARAM:
		return sys(sched_setparam, 0, &step->parameter);
	case FF_STEP_SCHEDULER:
		return sys(sched_setscheduler, 0, step->number,
			   &step->parameter);
	case FF_STEP_SETSID:
		return sys(setsid);
	case FF_STEP_SETPGID:
		return sys(setpgid, 0, step->number);
	case FF_STEP_RESETIDS:
		return child_reset_ids();
	case FF_STEP_UMASK:
		sys(umask, step->number);
		return 0;
	case FF_STEP_RLIMIT:
		return child_limit(plan, step);
	case FF_STEP_NICE:
		return sys(setpriority, PRIO_PROCESS, 0, step->number);
	case FF_STEP_IOPRIO:
		return sys(ioprio_set, IOPRIO_WHO_PROCESS, 0, step->number);
	case FF_STEP_AFFINITY:
		return sys(sched_setaffinity, 0, step->number, step->data);
	case FF_STEP_GROUPS:
		return sys(setgroups, step->number, step->data);
	case FF_STEP_GID:
		return step->number == NOBODY ? -EINVAL :
						sys(setresgid, step->number,
						    step->number, step->number);
	case FF_STEP_UID:
		return step->number == NOBODY ? -EINVAL :
						sys(setresuid, step->number,
						    step->number, step->number);
	case FF_STEP_NNP:
		return sys(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	case FF_STEP_PDEATHSIG:
		return child_tie_to_parent(plan, step->number);
	default:
		return ff_child_file_step(plan, step);
	}
}

static void child_walk(struct ff_plan *plan, int phase)
{
	struct ff_step step;
	unsigned i;
	long rc;

	for (i = 0; i < plan->steps[phase].count; i++) {
		if (phase == FF_PHASE_ACTIONS && i == plan->skip)
			continue;
		step = ff_step_at(plan, phase, i);
		rc = child_step(plan, &step);
		if (rc < 0)
			child_fail(plan, (int)-rc, phase, i);
	}
}

/* Its own table of descriptors, and nothing of ours in it. -ENOTSUP: such a
 * table can't be had. */
static long child_begin_files(const struct ff_plan *plan)
{
	long rc = 0;

	if (plan->unshare_from >= 0)
		rc = sys(close_range, plan->unshare_from, ~0U,
			 CLOSE_RANGE_UNSHARE);
	if (rc < 0) /* the table is the parent's still: nothing is closed */
		return rc == -ENOMEM ? rc : -ENOTSUP;
	if (plan->hidden[FF_HIDDEN_REPORT] >= 0)
		sys(close, plan->report_end);
	if (plan->pidfd)
		sys(close, *plan->pidfd);
	return rc;
}

static void child_needs(struct ff_plan *plan, long rc)
{
	if (rc < 0)
		child_fail(plan, (int)-rc, FF_PHASE_CLONE, 0);
}

void ff_spawn_child(void *arg)
{
	struct ff_plan *plan = arg;
	int phase;

	child_needs(plan, child_begin_files(plan));
	if (plan->no_core)
		child_needs(plan, child_forbid_core(plan));
	child_needs(plan, child_begin_signals(plan));
	for (phase = 0; phase < FF_PHASE_COUNT; phase++)
		child_walk(plan, phase);
	if (plan->no_core)
		child_needs(plan, child_allow_core(plan));
	child_needs(plan, sys(rt_sigprocmask, SIG_SETMASK, &plan->mask, NULL,
			      sizeof(plan->mask)));
	child_fail(plan, ff_child_exec(plan), FF_PHASE_EXEC, 0);
}
