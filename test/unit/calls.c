/*
 * The table of system calls against one made without looking at it: the
 * arguments of each call by the manual pages, pointers by their C types.
 *
 *  n  a number    f  a descriptor    s  const char *, a path or a name
 *  *  any other pointer
 */
#include "lazy/calls.h"

#include <string.h>
#include <sys/syscall.h>

#include "unit.h"

const char unit_subject[] = "calls";

#define CALLS_MAX 600

#define CALL(name, types) [SYS_##name] = { #name, types }
static const struct {
	const char *name;
	const char *types;
} call[CALLS_MAX] = {
	CALL(read, "f*n"),
	CALL(pread64, "f*nn"),
	CALL(readv, "f*n"),
	CALL(preadv, "f*nnn"),
	CALL(getdents64, "f*n"),
	CALL(write, "f*n"),
	CALL(pwrite64, "f*nn"),
	CALL(writev, "f*n"),
	CALL(pwritev, "f*nnn"),
	CALL(open, "snn"),
	CALL(openat, "fsnn"),
	CALL(creat, "sn"),
	CALL(close, "f"),
	CALL(close_range, "nnn"),
	CALL(dup, "f"),
	CALL(dup2, "ff"),
	CALL(dup3, "ffn"),
	CALL(fcntl, "fn?"),
	CALL(ioctl, "fn*"),
	CALL(lseek, "fnn"),
	CALL(pipe, "*"),
	CALL(pipe2, "*n"),
	CALL(socketpair, "nnn*"),
	CALL(socket, "nnn"),
	CALL(eventfd2, "nn"),
	CALL(epoll_create1, "n"),
	CALL(memfd_create, "sn"),
	CALL(poll, "*nn"),
	CALL(pselect6, "n*****"),
	CALL(fstat, "f*"),
	CALL(fstatfs, "f*"),
	CALL(fadvise64, "fnnn"),
	CALL(getsockname, "f**"),
	CALL(getpeername, "f**"),
	CALL(getsockopt, "fnn**"),
	CALL(stat, "s*"),
	CALL(lstat, "s*"),
	CALL(newfstatat, "fs*n"),
	CALL(statx, "fsnn*"),
	CALL(access, "sn"),
	CALL(faccessat, "fsn"),
	CALL(faccessat2, "fsnn"),
	CALL(readlink, "s*n"),
	CALL(readlinkat, "fs*n"),
	CALL(getcwd, "*n"),
	CALL(statfs, "s*"),
	CALL(chdir, "s"),
	CALL(fchdir, "f"),
	CALL(chroot, "s"),
	CALL(umask, "n"),
	CALL(unlink, "s"),
	CALL(unlinkat, "fsn"),
	CALL(mkdir, "sn"),
	CALL(rename, "ss"),
	CALL(chmod, "sn"),
	CALL(fchmod, "fn"),
	CALL(ftruncate, "fn"),
	/* Of memory the kernel is told addresses, not what is there. */
	CALL(mmap, "nnnnfn"),
	CALL(munmap, "nn"),
	CALL(mremap, "nnnnn"),
	CALL(mprotect, "nnn"),
	CALL(madvise, "nnn"),
	CALL(msync, "nnn"),
	CALL(brk, "n"),
	CALL(rt_sigaction, "n**n"),
	CALL(rt_sigprocmask, "n**n"),
	CALL(rt_sigreturn, ""),
	CALL(sigaltstack, "**"),
	CALL(kill, "nn"),
	CALL(rt_sigpending, "*n"),
	CALL(alarm, "n"),
	CALL(setitimer, "n**"),
	CALL(getitimer, "n*"),
	CALL(execve, "s**"),
	CALL(execveat, "fs**n"),
	CALL(exit, "n"),
	CALL(exit_group, "n"),
	CALL(getpid, ""),
	CALL(gettid, ""),
	CALL(getppid, ""),
	CALL(getpgid, "n"),
	CALL(getpgrp, ""),
	CALL(getsid, "n"),
	CALL(setsid, ""),
	CALL(setpgid, "nn"),
	CALL(getuid, ""),
	CALL(geteuid, ""),
	CALL(getgid, ""),
	CALL(getegid, ""),
	CALL(getresuid, "***"),
	CALL(getresgid, "***"),
	CALL(getgroups, "n*"),
	CALL(setuid, "n"),
	CALL(setgid, "n"),
	CALL(setreuid, "nn"),
	CALL(setregid, "nn"),
	CALL(setresuid, "nnn"),
	CALL(setresgid, "nnn"),
	CALL(setfsuid, "n"),
	CALL(setfsgid, "n"),
	CALL(setgroups, "n*"),
	CALL(capget, "**"),
	CALL(capset, "**"),
	CALL(personality, "n"),
	CALL(unshare, "n"),
	/* Kept for later, not looked at now. */
	CALL(set_tid_address, "n"),
	CALL(set_robust_list, "nn"),
	CALL(futex, "*nnnnn"),
	CALL(prctl, "n????"),
	CALL(arch_prctl, "n*"),
	CALL(getrlimit, "n*"),
	CALL(setrlimit, "n*"),
	CALL(prlimit64, "nn**"),
	CALL(getrusage, "n*"),
	CALL(times, "*"),
	CALL(getpriority, "nn"),
	CALL(setpriority, "nnn"),
	CALL(sched_setaffinity, "nn*"),
	CALL(sched_getaffinity, "nn*"),
	CALL(sched_setscheduler, "nn*"),
	CALL(sched_getscheduler, "n"),
	CALL(sched_setparam, "n*"),
	CALL(sched_getparam, "n*"),
	CALL(sched_get_priority_max, "n"),
	CALL(sched_get_priority_min, "n"),
	CALL(ioprio_set, "nnn"),
	CALL(ioprio_get, "nn"),
	CALL(gettimeofday, "**"),
	CALL(time, "*"),
	CALL(clock_gettime, "n*"),
	CALL(clock_getres, "n*"),
	CALL(getcpu, "***"),
	CALL(uname, "*"),
	CALL(sysinfo, "*"),
	CALL(getrandom, "*nn"),
	CALL(membarrier, "nnn"),
};

/* May an argument of @type be served as @kind? A descriptor may go unlooked
 * at where a function looks at it. */
static bool may_be(char type, char kind, const struct ff_rule *rule)
{
	switch (type) {
	case 'n':
		return kind == '-';
	case 'f':
		return kind == 'f' ||
		       (kind == '-' && rule->class == FF_CLASS_LOOK);
	case 's':
		return kind == 's';
	case '*':
		return strchr("pbwva", kind) != NULL;
	default: /* depends on another argument */
		return strchr("-p", kind) != NULL &&
		       rule->class == FF_CLASS_LOOK;
	}
}

START_TEST(each_rule_fits_its_calls_arguments)
{
	const struct ff_rule *rule = ff_rule(_i);
	const char *types = call[_i].types, *s;

	if (!rule)
		return;
	ck_assert_msg(types, "call %d is not known here: add it", _i);
	s = rule->signature;
	ck_assert_msg(strlen(s) == strlen(types),
		      "%s: \"%s\" for %zu arguments", call[_i].name, s,
		      strlen(types));
	for (int i = 0; s[i]; i++)
		ck_assert_msg(may_be(types[i], s[i], rule),
			      "%s: argument %d is a '%c', served as '%c'",
			      call[_i].name, i, types[i], s[i]);
}
END_TEST

/* Where a length is in another argument, that one is a number. */
START_TEST(lengths_are_where_they_are_looked_for)
{
	const struct ff_rule *rule = ff_rule(_i);
	const char *types = call[_i].types;

	for (int i = 0; rule && rule->signature[i]; i++) {
		char kind = rule->signature[i];
		char at = 'n';

		if (kind == 'b' || kind == 'v')
			at = types[i + 1];
		else if (kind == 'w')
			at = i > 0 ? types[i - 1] : '?';
		ck_assert_msg(at == 'n', "%s: argument %d has no length",
			      call[_i].name, i);
	}
}
END_TEST

START_TEST(looks_have_their_function_and_only_they)
{
	const struct ff_rule *rule = ff_rule(_i);

	ck_assert(!rule || rule->class != FF_CLASS_LEAVE);
	ck_assert(!rule || (rule->look != FF_LOOK_none) ==
				   (rule->class == FF_CLASS_LOOK));
	ck_assert_msg(rule || !call[_i].name, "%s is not in the table",
		      call[_i].name ? call[_i].name : "");
}
END_TEST

/* What a child on trial may never just make. */
START_TEST(calls_that_block_or_reach_others_are_not_free)
{
	static const int never[] = {
		SYS_wait4,	   SYS_waitid,
		SYS_nanosleep,	   SYS_clock_nanosleep,
		SYS_pause,	   SYS_select,
		SYS_ppoll,	   SYS_epoll_pwait,
		SYS_epoll_wait,	   SYS_epoll_ctl,
		SYS_flock,	   SYS_accept4,
		SYS_connect,	   SYS_bind,
		SYS_sendto,	   SYS_sendmsg,
		SYS_sendmmsg,	   SYS_recvfrom,
		SYS_recvmsg,	   SYS_splice,
		SYS_sendfile,	   SYS_tgkill,
		SYS_tkill,	   SYS_rt_sigqueueinfo,
		SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
		SYS_clone,	   SYS_clone3,
		SYS_fork,	   SYS_vfork,
		SYS_ptrace,	   SYS_mount,
		SYS_umount2,	   SYS_link,
		SYS_symlink,	   SYS_fsync,
		SYS_rmdir,	   SYS_chown,
		SYS_utimensat,	   SYS_process_vm_writev,
		SYS_shmat,	   SYS_semop,
		SYS_msgsnd,	   SYS_io_uring_enter,
		SYS_reboot,	   SYS_settimeofday,
		SYS_sethostname,   SYS_seccomp,
		SYS_bpf,	   SYS_userfaultfd,
		SYS_rseq,
	};
	static const int outputs[] = {
		SYS_write,	 SYS_writev,	SYS_kill,  SYS_exit_group,
		SYS_unlink,	 SYS_rename,	SYS_mkdir, SYS_chmod,
		SYS_ftruncate,	 SYS_read,	SYS_open,  SYS_creat,
		SYS_fcntl,	 SYS_ioctl,	SYS_lseek, SYS_setpgid,
		SYS_setpriority, SYS_prlimit64, SYS_prctl, SYS_poll,
		SYS_pselect6,
	};

	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
		ck_assert_msg(!ff_rule(never[i]), "call %d", never[i]);
	for (size_t i = 0; i < sizeof(outputs) / sizeof(*outputs); i++) {
		const struct ff_rule *rule = ff_rule(outputs[i]);

		ck_assert_msg(!rule || rule->class != FF_CLASS_FREE, "%s",
			      call[outputs[i]].name);
	}
}
END_TEST

START_TEST(numbers_of_no_call_are_not_in_the_table)
{
	static const long odd[] = { -1,		 -4096,
				    CALLS_MAX,	 1L << 31,
				    1L << 32,	 (1L << 32) + SYS_getpid,
				    0x40000000L, 0x40000000L + SYS_getpid };

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++)
		ck_assert_ptr_null(ff_rule(odd[i]));
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_loop_test(tests, each_rule_fits_its_calls_arguments, 0,
			    CALLS_MAX);
	tcase_add_loop_test(tests, lengths_are_where_they_are_looked_for, 0,
			    CALLS_MAX);
	tcase_add_loop_test(tests, looks_have_their_function_and_only_they, 0,
			    CALLS_MAX);
	tcase_add_test(tests, calls_that_block_or_reach_others_are_not_free);
	tcase_add_test(tests, numbers_of_no_call_are_not_in_the_table);
}
