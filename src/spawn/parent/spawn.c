/*
 * The parent of a spawn: block, clone, look, put back. Three system calls
 * where all goes well.
 *
 * Hazards:
 * H-S9  clone3 may be missing (ENOSYS), too old for its flags (EINVAL), or
 *       forbidden by a filter (EPERM): then it is clone, and the child takes
 *       the handlers away itself.
 * H-S10 Under emulation (qemu-user, WSL 1, valgrind) CLONE_VM copies, and an
 *       error written to memory is never seen: where clone3 is missing, a
 *       child is asked once to write a word. Where the word does not
 *       arrive, and where the kernel refuses CLONE_VM (EINVAL: a time
 *       namespace), the child is a fork's, and errors come by a pipe.
 *       A probe, or a second attempt, needs a child that may end: one that
 *       is a pid namespace's init may not.
 * H-S11 A set*id in shared memory turns off the dumpable flag of all who
 *       share it. It is noted before, and put back.
 * H-S19 A child that is to learn of its parent's death gets a pidfd of it,
 *       which may be in the way of none of its own (child_files.c). It is in
 *       the parent's table for the time of the spawn, close-on-exec.
 * H-S12 Cancellation is a signal, and so are other threads' set*id calls:
 *       both are blocked like all others, in the kernel's mask, until
 *       nothing is left to be undone.
 */
#include "spawn/parent/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <linux/sched.h>
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
#include "process/gate.h"
#include "spawn/child/child.h"
#include "spawn/parent/report.h"
#include "spawn/parent/stack.h"

#define NEEDS_CLONE3 (~(uint64_t)0xffffffff | CLONE_NEWTIME)
#define AUTOREAP ((uint64_t)1 << 34)

/* What this machine can do; found once, the same for every thread. */
enum way {
	CLONE3,
	CLONE_SHARES,
	CLONE_COPIES,
};

static _Atomic int way_now;
static _Atomic bool no_unshare;
static _Atomic bool no_clone3;

void ff_spawn_never_share(void)
{
	atomic_store(&way_now, CLONE_COPIES);
}

void ff_spawn_without_clone3(void)
{
	atomic_store(&no_clone3, true);
}

static long wait_for(int kind, long which, int how)
{
	siginfo_t info = { .si_pid = 0 };
	long rc;

	do
		rc = sys(waitid, kind, which, &info, how, NULL);
	while (rc == -EINTR);
	return rc;
}

static void write_word(void *arg)
{
	*(volatile int *)arg = 1;
	for (;;)
		sys(exit_group, 0);
}

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

/* H-S10; -errno: there is no telling now. */
static long probe(void *stack)
{
	volatile int word = 0;
	long pid;

	if (ff_fault(FF_FAULT_NO_SHARE))
		return CLONE_COPIES;
	pid = ff_clone(CLONE_VM | CLONE_VFORK, stack, NULL, NULL, write_word,
		       (void *)&word);
	if (pid == -EINVAL)
		return CLONE_COPIES;
	if (pid < 0)
		return pid;
	wait_for(P_PID, pid, WEXITED | __WALL);
	return word ? CLONE_SHARES : CLONE_COPIES;
}

/* One attempt at a child. */
struct attempt {
	struct ff_plan *plan;
	const struct ff_birth *birth;
	void *stack;
	enum ff_files files;
	int parent; /* a pidfd of ours, or -1 */
	int pidfd;
	int pipe; /* to read the report from, or -1 */
};

static uint64_t flags_of(const struct attempt *a)
{
	uint64_t flags = a->birth->flags;

	if (a->birth->ret_pidfd)
		flags |= CLONE_PIDFD;
	if (a->files != FF_FILES_COPY)
		flags |= CLONE_FILES;
	return flags;
}

static long by_clone3(struct attempt *a)
{
	struct clone_args args = {
		.flags = flags_of(a) | CLONE_VM | CLONE_VFORK |
			 CLONE_CLEAR_SIGHAND,
		.pidfd = (uintptr_t)&a->pidfd,
		.exit_signal = a->birth->flags & AUTOREAP ? 0 : SIGCHLD,
		.stack = (uintptr_t)a->stack - FF_CHILD_STACK_BYTES,
		.stack_size = FF_CHILD_STACK_BYTES,
		.cgroup = (uint64_t)a->birth->cgroup,
	};
	size_t bytes = a->birth->flags & CLONE_INTO_CGROUP ?
			       CLONE_ARGS_SIZE_VER2 :
			       CLONE_ARGS_SIZE_VER0;

	if (ff_fault(FF_FAULT_NO_CLONE3) || atomic_load(&no_clone3))
		return -ENOSYS;
	a->plan->handlers = false;
	return ff_clone3(&args, bytes, ff_spawn_child, a->plan);
}

static void copy_files(struct attempt *a)
{
	a->files = FF_FILES_COPY;
	a->plan->unshare_from = -1;
	a->plan->skip = UINT_MAX;
	a->plan->pidfd = NULL;
}

/* A filter that looks at flags may know vfork's, and no others. */
static long by_clone(struct attempt *a)
{
	const long flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
	long pid;

	a->plan->handlers = true;
	pid = ff_clone((long)flags_of(a) | flags, a->stack, &a->pidfd, NULL,
		       ff_spawn_child, a->plan);
	if (pid != -EPERM || a->files == FF_FILES_COPY)
		return pid;
	copy_files(a);
	return ff_clone((long)flags_of(a) | flags, a->stack, &a->pidfd, NULL,
			ff_spawn_child, a->plan);
}

/* qemu-user knows no CLONE_PIDFD. */
static long copy_process(struct attempt *a)
{
	long flags = (long)(flags_of(a) | SIGCHLD), pid, fd;

	pid = ff_clone(flags, NULL, &a->pidfd, NULL, ff_spawn_child, a->plan);
	if (pid != -EINVAL || !(flags & CLONE_PIDFD))
		return pid;
	pid = ff_clone(flags & ~(long)CLONE_PIDFD, NULL, NULL, NULL,
		       ff_spawn_child, a->plan);
	if (pid <= 0)
		return pid;
	fd = sys(pidfd_open, pid, 0);
	a->pidfd = (int)fd;
	if (fd >= 0)
		return pid;
	sys(kill, pid, SIGKILL);
	wait_for(P_PID, pid, WEXITED);
	return fd;
}

/* The memory is copied: a real fork, as far as the gate goes. */
static long by_copy(struct attempt *a)
{
	int fd[2];
	long pid = sys(pipe2, fd, O_CLOEXEC);

	if (pid < 0)
		return pid;
	a->plan->handlers = true;
	a->plan->report_end = fd[0];
	a->plan->hidden[FF_HIDDEN_REPORT] = fd[1];
	copy_files(a);
	ff_gate_enter_real();
	pid = copy_process(a);
	ff_gate_leave_real();
	a->plan->hidden[FF_HIDDEN_REPORT] = -1;
	sys(close, fd[1]);
	if (pid < 0)
		sys(close, fd[0]);
	else
		a->pipe = fd[0];
	return pid;
}

/* Before Linux 5.4 the flag may be ignored, or the descriptor of no use. */
static bool has_pidfd(void)
{
	return wait_for(P_PIDFD, INT_MAX, WEXITED | WNOHANG) == -EBADF;
}

/* H-S9; -ENOTSUP: only clone3 could do it. */
static long older_way(struct attempt *a, long error)
{
	long way = atomic_load(&way_now), pid;

	if (a->birth->flags & NEEDS_CLONE3) {
		if (error == -ENOSYS ||
		    a->birth->flags & ~(uint64_t)0x3ffffffff)
			return -ENOTSUP;
		return error;
	}
	if (a->birth->ret_pidfd && !has_pidfd())
		return -ENOSYS;
	if (way == CLONE3 && ff_next_child_is_init())
		return by_copy(a);
	if (way == CLONE3) {
		way = probe(a->stack);
		if (way < 0)
			return way;
		/* EINVAL and EPERM may have been meant for this call. */
		if (error == -ENOSYS || (!a->birth->flags && error == -EPERM))
			atomic_store(&way_now, (int)way);
	}
	if (way == CLONE_SHARES) {
		pid = by_clone(a);
		if (pid > 0 && !a->birth->flags)
			atomic_store(&way_now, (int)way);
		if (pid != -EINVAL)
			return pid;
	}
	return by_copy(a);
}

static long make_child(struct attempt *a)
{
	long pid = -ENOSYS;

	if (atomic_load(&way_now) == CLONE3)
		pid = by_clone3(a);
	if (pid == -ENOSYS || pid == -EINVAL || pid == -EPERM)
		pid = older_way(a, pid);
	return pid;
}

/* The child wrote to its copy of the plan, and to the pipe. One that can't be
 * heard must not live. */
static void read_report(struct attempt *a, long pid)
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

static void reap(const struct attempt *a, long pid)
{
	if (a->birth->flags & AUTOREAP)
		return;
	if (a->birth->ret_pidfd)
		wait_for(P_PIDFD, a->pidfd, WEXITED);
	else
		wait_for(P_PID, pid, WEXITED);
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
static long attempt(struct attempt *a, bool *ret_again)
{
	struct ff_plan *plan = a->plan;
	long pid;

	plan->report = (struct ff_report){ 0, FF_PHASE_CLONE, 0 };
	plan->hidden[FF_HIDDEN_REPORT] = -1;
	plan->hidden[FF_HIDDEN_PARENT] = a->parent;
	a->pidfd = -1;
	a->pipe = -1;
	pid = make_child(a);
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

static long with_stack(struct attempt *a)
{
	bool again;
	long pid;

	a->files = ff_plan_files(a->plan);
	a->plan->pidfd = NULL;
	if (a->files == FF_FILES_COPY ||
	    (a->files == FF_FILES_UNSHARE &&
	     (!can_unshare() || ff_next_child_is_init() || a->parent >= 0)) ||
	    (a->files == FF_FILES_SHARE && a->birth->ret_pidfd))
		copy_files(a);
	else if (a->birth->ret_pidfd)
		a->plan->pidfd = &a->pidfd;
	do {
		pid = attempt(a, &again);
		copy_files(a);
	} while (again);
	return pid;
}

static long on_a_stack(struct attempt *a)
{
	long pid = ff_stack_take(&a->stack);

	if (pid < 0)
		return pid;
	pid = with_stack(a);
	ff_stack_put(a->stack);
	return pid;
}

/* H-S11 */
static long keep_dumpable(struct attempt *a)
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
static long tie(struct attempt *a)
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
	struct attempt a = { .plan = plan, .parent = -1 };
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
