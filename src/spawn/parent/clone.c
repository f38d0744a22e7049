/*
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
 */
#include "spawn/parent/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>

#include "arch/arch.h"
#include "host/fault.h"
#include "host/pidns.h"
#include "host/sys.h"
#include "process/gate.h"
#include "spawn/child/child.h"
#include "spawn/parent/stack.h"

#define NEEDS_CLONE3 (~(uint64_t)0xffffffff | CLONE_NEWTIME)

/* What this machine can do; found once, the same for every thread. */
enum way {
	CLONE3,
	CLONE_SHARES,
	CLONE_COPIES,
};

static _Atomic int way_now;
static _Atomic bool no_clone3;

void ff_spawn_never_share(void)
{
	atomic_store(&way_now, CLONE_COPIES);
}

void ff_spawn_without_clone3(void)
{
	atomic_store(&no_clone3, true);
}

long ff_spawn_wait(int kind, long which, int how)
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
	ff_end();
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
	ff_spawn_wait(P_PID, pid, WEXITED | __WALL);
	return word ? CLONE_SHARES : CLONE_COPIES;
}

static uint64_t flags_of(const struct ff_attempt *a)
{
	uint64_t flags = a->birth->flags;

	if (a->birth->ret_pidfd)
		flags |= CLONE_PIDFD;
	if (a->files != FF_FILES_COPY)
		flags |= CLONE_FILES;
	return flags;
}

static long by_clone3(struct ff_attempt *a)
{
	struct clone_args args = {
		.flags = flags_of(a) | CLONE_VM | CLONE_VFORK |
			 CLONE_CLEAR_SIGHAND,
		.pidfd = (uintptr_t)&a->pidfd,
		.exit_signal =
			a->birth->flags & FF_CLONE_AUTOREAP ? 0 : SIGCHLD,
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

void ff_attempt_copy_files(struct ff_attempt *a)
{
	a->files = FF_FILES_COPY;
	a->plan->unshare_from = -1;
	a->plan->skip = UINT_MAX;
	a->plan->pidfd = NULL;
}

/* A filter that looks at flags may know vfork's, and no others. */
static long by_clone(struct ff_attempt *a)
{
	const long flags = CLONE_VM | CLONE_VFORK | SIGCHLD;
	long pid;

	a->plan->handlers = true;
	pid = ff_clone((long)flags_of(a) | flags, a->stack, &a->pidfd, NULL,
		       ff_spawn_child, a->plan);
	if (pid >= 0 || pid == -EAGAIN || pid == -ENOMEM ||
	    a->files == FF_FILES_COPY)
		return pid;
	ff_attempt_copy_files(a);
	return ff_clone((long)flags_of(a) | flags, a->stack, &a->pidfd, NULL,
			ff_spawn_child, a->plan);
}

/* qemu-user knows no CLONE_PIDFD. */
static long copy_process(struct ff_attempt *a)
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
	ff_spawn_wait(P_PID, pid, WEXITED);
	return fd;
}

/* The memory is copied: a real fork, as far as the gate goes. */
static long by_copy(struct ff_attempt *a)
{
	int fd[2];
	long pid = sys(pipe2, fd, O_CLOEXEC);

	if (pid < 0)
		return pid;
	a->plan->handlers = true;
	a->plan->report_end = fd[0];
	a->plan->hidden[FF_HIDDEN_REPORT] = fd[1];
	ff_attempt_copy_files(a);
	ff_gate_enter_real();
	pid = ff_gate_sweep() ? copy_process(a) : -ENOMEM;
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
	return ff_spawn_wait(P_PIDFD, INT_MAX, WEXITED | WNOHANG) == -EBADF;
}

/* H-S9; -ENOTSUP: only clone3 could do it. */
static long older_way(struct ff_attempt *a, long error)
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

long ff_attempt_clone(struct ff_attempt *a)
{
	long pid = -ENOSYS;

	if (atomic_load(&way_now) == CLONE3)
		pid = by_clone3(a);
	if (pid == -ENOSYS || pid == -EINVAL || pid == -EPERM)
		pid = older_way(a, pid);
	return pid;
}
