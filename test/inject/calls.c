/*
 * The errors are those of the manual pages, and EPERM, which filters are
 * fond of. Left out are calls that have no error of their own (getpid), those
 * that end or signal, and those that put back what a call of the same kind
 * took away before: that these fail, too, nobody could make good. A child that
 * is spawned does not put back, it sets.
 */
#include "calls.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

#define CALL(name, ...)                                   \
	{                                                 \
		SYS_##name, #name, { __VA_ARGS__ }, false \
	}
#define DONE(name, ...)                                  \
	{                                                \
		SYS_##name, #name, { __VA_ARGS__ }, true \
	}

static const struct call calls[] = {
	CALL(clone3, EAGAIN, ENOMEM, EPERM, ENOSYS, EINVAL),
	CALL(clone, EAGAIN, ENOMEM, EPERM, ENOSYS, EINVAL),
	CALL(mmap, ENOMEM),
	CALL(mprotect, ENOMEM),
	DONE(munmap, ENOMEM),
	DONE(close, EINTR, EIO),
	CALL(close_range, ENOMEM, ENOSYS, EPERM, EINVAL),
	CALL(pipe2, EMFILE, ENFILE),
	CALL(fcntl, EMFILE, EPERM),
	CALL(dup2, EMFILE, EINTR, EBUSY),
	CALL(openat, EMFILE, ENFILE, EINTR, EACCES, ENOMEM),
	CALL(read, EINTR),
	CALL(write, EINTR, EIO, EPERM),
	CALL(getdents64, ENOENT, ENOMEM),
	CALL(chdir, EACCES, EIO, ENOMEM),
	CALL(fchdir, EACCES, EIO),
	CALL(ioctl, ENOTTY, EPERM, EINTR),
	CALL(execve, ENOMEM, EACCES, EAGAIN, ETXTBSY, E2BIG, ENOENT),
	CALL(wait4, EINTR),
	CALL(waitid, EINTR),
	CALL(rt_sigprocmask, EPERM, ENOMEM),
	CALL(rt_sigaction, EPERM),
	CALL(rt_sigpending, EPERM),
	CALL(prctl, EPERM, EINVAL),
	CALL(prlimit64, EPERM, EINVAL),
	CALL(sched_setparam, EPERM, EINVAL),
	CALL(sched_setscheduler, EPERM, EINVAL),
	CALL(sched_setaffinity, EPERM, EINVAL),
	CALL(sched_getaffinity, EPERM),
	CALL(setpriority, EPERM, EACCES),
	CALL(ioprio_set, EPERM, EINVAL),
	CALL(setsid, EPERM),
	CALL(setpgid, EPERM, EACCES),
	CALL(getpgid, EPERM),
	CALL(setresuid, EPERM, EAGAIN),
	CALL(setresgid, EPERM, EAGAIN),
	CALL(setgroups, EPERM, ENOMEM),
	CALL(nanosleep, EINTR),
	CALL(pidfd_open, EMFILE, ENOMEM),
	CALL(poll, ENOMEM),
	CALL(fstatfs, ENOMEM, EIO),
	CALL(fstat, EIO, ENOMEM),
	CALL(newfstatat, ENOMEM, EACCES, EIO),
	CALL(pread64, EIO, CALL_SHORT, ENOMEM, EINTR),
	CALL(process_vm_readv, EPERM, ENOMEM, EFAULT),
	CALL(futex, EINTR, EAGAIN),
	CALL(sigaltstack, EPERM, ENOMEM),
	CALL(set_robust_list, EINVAL, ENOSYS),
	CALL(get_robust_list, EPERM, ENOSYS),
	CALL(madvise, ENOMEM, EINVAL, EAGAIN),
	CALL(mremap, ENOMEM, EFAULT),
	CALL(rt_sigtimedwait, EAGAIN, EINTR),
	CALL(rt_sigqueueinfo, EAGAIN, EPERM),
	CALL(ppoll, ENOMEM, EINTR),
	CALL(setitimer, EINVAL, EPERM),
	CALL(getitimer, EINVAL, EPERM),
	CALL(rseq, ENOSYS, EPERM, EINVAL),
	CALL(getresuid, EPERM),
	CALL(getresgid, EPERM),
	CALL(timer_create, EAGAIN, ENOMEM, EPERM),
	CALL(timer_settime, EINVAL, EPERM),
	CALL(pkey_alloc, ENOSPC, ENOSYS, EPERM),
	CALL(pkey_mprotect, ENOMEM, ENOSYS, EPERM),
	DONE(pkey_free, EPERM),
};

/* Of advice for children: a mapping can't be split. */
static const struct call advise_in_fork = {
	SYS_madvise, "madvise", { EAGAIN }, false
};
static const struct call read_in_fork = {
	SYS_read, "read", { EINTR, CALL_SHORT, EIO }, false
};

static const struct call other = { -1, "a call", { EPERM }, false };

static const long never[] = {
	SYS_getpid,	     SYS_gettid, SYS_getppid,
	SYS_getuid,	     SYS_getgid, SYS_geteuid,
	SYS_getegid,	     SYS_umask,	 SYS_brk,
	SYS_exit_group,	     SYS_tgkill, SYS_kill,
	SYS_restart_syscall, SYS_uname,	 SYS_rt_sigreturn,
	SYS_clock_gettime,   SYS_exit,	 SYS_set_tid_address,
};

static bool puts_back(long nr, const unsigned long long *args,
		      unsigned long word)
{
	switch (nr) {
	case SYS_rt_sigprocmask:
		return args[0] == SIG_SETMASK && word != ~0UL;
	case SYS_rt_sigaction:
		return args[1] && !args[2];
	case SYS_sigaltstack:
		return args[0] && !args[1];
	case SYS_prctl:
		return args[0] == PR_SET_DUMPABLE ||
		       (args[0] == PR_SET_SYSCALL_USER_DISPATCH && !args[1]);
	default:
		return false;
	}
}

/* libc's fork, from glibc 2.41 on, asks for the mask that it will put back, and
 * does not look whether it was told: what it puts back then is anything. */
static bool is_asked_by_libc(long nr, const unsigned long long *args)
{
	return nr == SYS_rt_sigprocmask && args[0] == SIG_BLOCK && !args[1];
}

const struct call *call_find(long nr, const unsigned long long *args,
			     unsigned long word, enum inject_side side,
			     bool of_fork)
{
	size_t i;

	for (i = 0; i < sizeof(never) / sizeof(*never); i++)
		if (never[i] == nr)
			return NULL;
	if ((of_fork || side != INJECT_CHILD) && puts_back(nr, args, word))
		return NULL;
	if (of_fork && side == INJECT_PARENT && is_asked_by_libc(nr, args))
		return NULL;
	if (nr == SYS_futex && (args[1] & FUTEX_CMD_MASK) == FUTEX_WAKE)
		return NULL;
	if (nr == SYS_madvise && of_fork && args[2] >= MADV_DONTFORK &&
	    args[2] <= MADV_KEEPONFORK)
		return &advise_in_fork;
	if (nr == SYS_read && of_fork)
		return &read_in_fork;
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i].nr == nr)
			return &calls[i];
	return &other;
}

bool call_may_fail_again(long nr, const unsigned long long *args, int error)
{
	if (error == EINTR || error == CALL_SHORT || nr == SYS_rt_sigprocmask ||
	    nr == SYS_rt_sigaction || nr == SYS_futex)
		return false;
	return nr != SYS_madvise ||
	       (args[2] != MADV_DOFORK && args[2] != MADV_KEEPONFORK);
}

unsigned call_choices(const struct call *call)
{
	unsigned n = 0;

	while (n < CALL_ERRORS && call->error[n])
		n++;
	return n;
}
