/*
 * The parent of a spawn: block, clone, look, put back. Three system calls
 * where all goes well.
 *
 * Hazards:
 * H-S11 A set*id in shared memory turns off the dumpable flag of all who
 *       share it. It is noted before, and put back.
 * H-S19 A child that is to learn of its parent's death gets a pidfd of it,
 *       which may be in the way of none of its own (child/files.c). It is in
 *       the parent's table for the time of the spawn, close-on-exec.
 * H-S12 Cancellation is a signal, and so are other threads' set*id calls:
 *       both are blocked like all others, in the kernel's mask, until
 *       nothing is left to be undone.
 */
#include "spawn/parent/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "arch/arch.h"
#include "host/coredump.h"
#include "host/fault.h"
#include "host/pidns.h"
#include "host/sys.h"
#include "spawn/child/child.h"
#include "spawn/parent/clone.h"
#include "spawn/parent/report.h"
#include "spawn/parent/stack.h"

static _Atomic bool no_unshare;
/* Asked of no child, as one that fails is seen: a range that is none. */
static bool can_unshare(void)
{
	static _Atomic bool asked;

	if (!atomic_load(&asked)) {
		if (sys(close_range, ~0U, 0, CLOSE_RANGE_UNSHARE) != -EINVAL)
			atomic_store(&no_unshare, true);
		atomic_store(&asked, true);
	}
	return !atomic_load(&no_unshare);
}

/* The child wrote to its copy of the plan, and to the pipe. One that can't be
 * heard must not live. */
static void read_report(struct ff_attempt *a, long pid)
{
	struct ff_report report;
	long got;

	do
		got = sys(read, a->pipe, &report, sizeof(report));
	while (got == -EINTR);
	if (got == (long)sizeof(report))
		a->plan->report = report;
	if (got < 0) {
		a->plan->report.error = (int)-got;
		sys(kill, pid, SIGKILL);
	}
	sys(close, a->pipe);
}

static void reap(const struct ff_attempt *a, long pid)
{
	if (a->birth->flags & FF_CLONE_AUTOREAP)
		return;
	if (a->birth->ret_pidfd)
		ff_spawn_wait(P_PIDFD, a->pidfd, WEXITED);
	else
		ff_spawn_wait(P_PID, pid, WEXITED);
}

/* Would it have gone on with a copy of all descriptors? Done again for
 * nothing it would be seen: two children, two signals. */
static bool lacked_a_copy(const struct ff_plan *plan)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_NO_MAGICLINKS };
	struct ff_step step;
	long fd;

	if (plan->report.phase == FF_PHASE_CLONE &&
	    plan->report.error == ENOTSUP) {
		atomic_store(&no_unshare, true);
		return true;
	}
	if (!ff_report_step(plan, &step) || step.kind != FF_STEP_OPEN ||
	    plan->report.phase != FF_PHASE_ACTIONS ||
	    plan->report.index >= plan->closefrom)
		return false;
	/* H-S3: does the path lead through /proc/self/fd? */
	fd = sys(openat2, AT_FDCWD, step.text, &how, sizeof(how));
	if (fd >= 0)
		sys(close, fd);
	return fd == -ELOOP || fd == -ENOSYS || fd == -EPERM;
}

/* A pid or -errno; *ret_again: it was our way that failed, not the plan. */
static long attempt(struct ff_attempt *a, bool *ret_again)
{
	struct ff_plan *plan = a->plan;
	long pid;

	plan->report = (struct ff_report){ 0, FF_PHASE_CLONE, 0 };
	plan->hidden[FF_HIDDEN_REPORT] = -1;
	plan->hidden[FF_HIDDEN_PARENT] = a->parent;
	a->pidfd = -1;
	a->pipe = -1;
	pid = ff_attempt_clone(a);
	*ret_again = false;
	if (pid < 0) {
		plan->report.error = (int)-pid;
		return pid;
	}
	if (a->pipe >= 0)
		read_report(a, pid);
	if (!plan->report.error)
		return pid;
	reap(a, pid);
	if (a->birth->ret_pidfd)
		sys(close, a->pidfd);
	*ret_again = a->files == FF_FILES_UNSHARE && lacked_a_copy(plan);
	return -plan->report.error;
}

static long with_stack(struct ff_attempt *a)
{
	bool again;
	long pid;

	a->files = ff_plan_files(a->plan);
	a->plan->pidfd = NULL;
	if (a->files == FF_FILES_COPY ||
	    (a->files == FF_FILES_UNSHARE &&
	     (!can_unshare() || ff_next_child_is_init() || a->parent >= 0)) ||
	    (a->files == FF_FILES_SHARE && a->birth->ret_pidfd))
		ff_attempt_copy_files(a);
	else if (a->birth->ret_pidfd)
		a->plan->pidfd = &a->pidfd;
	do {
		pid = attempt(a, &again);
		ff_attempt_copy_files(a);
	} while (again);
	return pid;
}

static long on_a_stack(struct ff_attempt *a)
{
	long pid = ff_stack_take(&a->stack);

	if (pid < 0)
		return pid;
	pid = with_stack(a);
	ff_stack_put(a->stack);
	return pid;
}

/* H-S11 */
static long keep_dumpable(struct ff_attempt *a)
{
	long dumpable, pid;

	if (!ff_plan_changes_ids(a->plan))
		return on_a_stack(a);
	dumpable = sys(prctl, PR_GET_DUMPABLE);
	if (dumpable < 0)
		return dumpable;
	pid = on_a_stack(a);
	if (dumpable > 0 && sys(prctl, PR_GET_DUMPABLE) != dumpable)
		sys(prctl, PR_SET_DUMPABLE, dumpable, 0, 0, 0);
	return pid;
}

/* H-S19 */
static long tie(struct ff_attempt *a)
{
	long fd, pid;

	if (!ff_plan_ties_to_parent(a->plan))
		return keep_dumpable(a);
	a->plan->parent = ff_getpid();
	fd = sys(pidfd_open, a->plan->parent, 0);
	if (fd < 0 && fd != -ENOSYS && fd != -EPERM)
		return fd;
	a->parent = fd < 0 ? -1 : (int)fd;
	pid = keep_dumpable(a);
	if (fd >= 0)
		sys(close, fd);
	return pid;
}

int ff_spawn(struct ff_plan *plan, const struct ff_birth *birth, pid_t *ret_pid)
{
	static const struct ff_birth ordinary = { 0, -1, NULL };
	const ff_sigset all = ~(ff_sigset)0;
	ff_sigset mask;
	struct ff_attempt a = { .plan = plan, .parent = -1 };
	long pid;

	a.birth = birth ? birth : &ordinary;
	plan->report.error = 0;
	plan->no_core = ff_core_dump_kills_sharers();
	pid = sys(rt_sigprocmask, SIG_SETMASK, &all, &mask, sizeof(all));
	if (pid == 0) {
		if (!plan->mask_is_set)
			plan->mask = mask;
		pid = tie(&a);
		sys(rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(all));
	}
	if (pid < 0) {
		if (!plan->report.error)
			plan->report = (struct ff_report){ (int)-pid,
							   FF_PHASE_CLONE, 0 };
		return (int)-pid;
	}
	if (ret_pid)
		*ret_pid = (pid_t)pid;
	if (a.birth->ret_pidfd)
		*a.birth->ret_pidfd = a.pidfd;
	return 0;
}
