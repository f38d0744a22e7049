/* The table of calls.h. By subject; within one, by what is most used. */
#include "lazy/calls.h"

#include <stddef.h>
#include <sys/syscall.h>

#define FREE(name, sig) [SYS_##name] = { FF_CLASS_FREE, 0, sig }
#define OUTPUT(name, sig) [SYS_##name] = { FF_CLASS_OUTPUT, 0, sig }
#define LOOK(name, fn, sig) [SYS_##name] = { FF_CLASS_LOOK, FF_LOOK_##fn, sig }

static const struct ff_rule rules[] = {
	/* descriptors */
	LOOK(read, read, "fb-"),
	LOOK(pread64, read, "fb--"),
	LOOK(readv, read, "fv-"),
	LOOK(preadv, read, "fv---"),
	LOOK(getdents64, getdents64, "fb-"),
	LOOK(write, write, "fb-"),
	LOOK(pwrite64, write, "fb--"),
	LOOK(writev, write, "fv-"),
	LOOK(pwritev, write, "fv---"),
	LOOK(open, open, "s--"),
	LOOK(openat, openat, "fs--"),
	LOOK(creat, creat, "s-"),
	LOOK(close, close, "-"),
	LOOK(close_range, close_range, "---"),
	LOOK(dup, dup, "f"),
	LOOK(dup2, dup2, "f-"),
	LOOK(dup3, dup3, "f--"),
	LOOK(fcntl, fcntl, "f--"),
	LOOK(ioctl, ioctl, "f-p"),
	LOOK(lseek, lseek, "f--"),
	LOOK(pipe, pipe, "p"),
	LOOK(pipe2, pipe, "p-"),
	LOOK(socketpair, pipe, "---p"),
	LOOK(socket, dup, "---"),
	LOOK(eventfd2, dup, "--"),
	LOOK(epoll_create1, dup, "-"),
	LOOK(memfd_create, dup, "s-"),
	LOOK(poll, poll, "p--"),
	LOOK(pselect6, pselect6, "-ppppp"),
	FREE(fstat, "fp"),
	FREE(fstatfs, "fp"),
	FREE(fadvise64, "f---"),
	FREE(getsockname, "fpp"),
	FREE(getpeername, "fpp"),
	FREE(getsockopt, "f--pp"),

	/* files by name */
	FREE(stat, "sp"),
	FREE(lstat, "sp"),
	FREE(newfstatat, "fsp-"),
	FREE(statx, "fs--p"),
	FREE(access, "s-"),
	FREE(faccessat, "fs-"),
	FREE(faccessat2, "fs--"),
	FREE(readlink, "sb-"),
	FREE(readlinkat, "fsb-"),
	FREE(getcwd, "b-"),
	FREE(statfs, "sp"),
	FREE(chdir, "s"),
	FREE(fchdir, "f"),
	FREE(chroot, "s"),
	FREE(umask, "-"),
	OUTPUT(unlink, "s"),
	OUTPUT(unlinkat, "fs-"),
	OUTPUT(mkdir, "s-"),
	OUTPUT(rename, "ss"),
	OUTPUT(chmod, "s-"),
	OUTPUT(fchmod, "f-"),
	OUTPUT(ftruncate, "f-"),

	/* memory */
	LOOK(mmap, mmap, "----f-"),
	LOOK(munmap, munmap, "--"),
	LOOK(mremap, mremap, "-----"),
	LOOK(mprotect, mprotect, "---"),
	LOOK(madvise, madvise, "---"),
	FREE(msync, "---"),
	LOOK(brk, brk, "-"),

	/* signals */
	LOOK(rt_sigaction, rt_sigaction, "-pp-"),
	LOOK(rt_sigprocmask, rt_sigprocmask, "-pp-"),
	LOOK(rt_sigreturn, rt_sigreturn, ""),
	LOOK(sigaltstack, sigaltstack, "pp"),
	LOOK(kill, kill, "--"),
	LOOK(rt_sigpending, rt_sigpending, "p-"),
	FREE(alarm, "-"),
	FREE(setitimer, "-pp"),
	FREE(getitimer, "-p"),

	/* the process */
	LOOK(execve, execve, "saa"),
	LOOK(execveat, execveat, "fsaa-"),
	LOOK(exit, exit, "-"),
	LOOK(exit_group, exit, "-"),
	FREE(getpid, ""),
	FREE(gettid, ""),
	FREE(getppid, ""),
	FREE(getpgid, "-"),
	FREE(getpgrp, ""),
	FREE(getsid, "-"),
	FREE(setsid, ""),
	LOOK(setpgid, setpgid, "--"),
	FREE(getuid, ""),
	FREE(geteuid, ""),
	FREE(getgid, ""),
	FREE(getegid, ""),
	FREE(getresuid, "ppp"),
	FREE(getresgid, "ppp"),
	FREE(getgroups, "-p"),
	FREE(setuid, "-"),
	FREE(setgid, "-"),
	FREE(setreuid, "--"),
	FREE(setregid, "--"),
	FREE(setresuid, "---"),
	FREE(setresgid, "---"),
	FREE(setfsuid, "-"),
	FREE(setfsgid, "-"),
	FREE(setgroups, "-w"),
	FREE(capget, "pp"),
	FREE(capset, "pp"),
	FREE(personality, "-"),
	FREE(unshare, "-"),
	FREE(set_tid_address, "-"),
	LOOK(set_robust_list, set_robust_list, "--"),
	LOOK(futex, futex, "p-----"),
	LOOK(prctl, prctl, "-----"),
	FREE(arch_prctl, "-p"),

	/* limits, scheduling, time */
	FREE(getrlimit, "-p"),
	FREE(setrlimit, "-p"),
	LOOK(prlimit64, self, "--pp"),
	FREE(getrusage, "-p"),
	FREE(times, "p"),
	FREE(getpriority, "--"),
	LOOK(setpriority, setpgid, "---"),
	LOOK(sched_setaffinity, self, "--p"),
	LOOK(sched_getaffinity, self, "--p"),
	LOOK(sched_setscheduler, self, "--p"),
	LOOK(sched_getscheduler, self, "-"),
	LOOK(sched_setparam, self, "-p"),
	LOOK(sched_getparam, self, "-p"),
	FREE(sched_get_priority_max, "-"),
	FREE(sched_get_priority_min, "-"),
	LOOK(ioprio_set, setpgid, "---"),
	FREE(ioprio_get, "--"),
	FREE(gettimeofday, "pp"),
	FREE(time, "p"),
	FREE(clock_gettime, "-p"),
	FREE(clock_getres, "-p"),
	FREE(getcpu, "ppp"),
	FREE(uname, "p"),
	FREE(sysinfo, "p"),
	FREE(getrandom, "b--"),
	FREE(membarrier, "---"),
};

const struct ff_rule *ff_rule(long nr)
{
	if (nr < 0 || (size_t)nr >= sizeof(rules) / sizeof(rules[0]) ||
	    rules[nr].class == FF_CLASS_LEAVE)
		return NULL;
	return &rules[nr];
}

void ff_look(enum ff_look look, ucontext_t *uc, long nr)
{
	switch (look) {
	case FF_LOOK_none:
		break;
#define X(name)                         \
	case FF_LOOK_##name:            \
		ff_look_##name(uc, nr); \
		break;
		FF_LOOKS(X)
#undef X
	}
}
