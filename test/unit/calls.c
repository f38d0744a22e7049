/*
 * The table of system calls against one made without looking at it: the
 * arguments of each call by the manual pages, pointers by their C types.
 *
 *  n  a number    f  a descriptor    s  const char *, a path or a name
 *  *  any other pointer
 */
#include "calls/calls.h"

#include <linux/audit.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

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
	CALL(ioctl, "fn?"),
	CALL(lseek, "fnn"),
	CALL(pipe, "*"),
	CALL(pipe2, "*n"),
	CALL(socketpair, "nnn*"),
	CALL(socket, "nnn"),
	CALL(eventfd2, "nn"),
	CALL(epoll_create1, "n"),
	CALL(epoll_ctl, "fnf*"),
	CALL(epoll_wait, "f*nn"),
	/* What clone is given besides flags depends on these. */
	CALL(clone, "nnnnn"),
	CALL(clone3, "*n"),
	CALL(rseq, "*nnn"),
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
	CALL(arch_prctl, "n?"),
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
	CALL(ppoll, "*n**n"),
	CALL(select, "n****"),
	CALL(timer_create, "n**"),
	CALL(timer_settime, "nn**"),
	CALL(timer_gettime, "n*"),
	CALL(timer_getoverrun, "n"),
	CALL(timer_delete, "n"),
	CALL(sched_yield, ""),
	CALL(mkdirat, "fsn"),
	CALL(chown, "snn"),
	CALL(fchown, "fnn"),
};

/* Is anything of it made in a fast way? */
static bool is_made(const struct ff_call *c)
{
	return c->lazy != FF_LAZY_LEAVE || c->fence != FF_FENCE_LEAVE;
}

static bool looks(const struct ff_call *c)
{
	return c->lazy > FF_LAZY_OUTPUT;
}

static size_t length(const struct ff_call *c)
{
	return strnlen(c->signature, FF_CALL_ARGUMENTS);
}

/* May an argument of @type be served as @kind? A descriptor may go unlooked
 * at where a function looks at it. */
static bool may_be(char type, char kind, const struct ff_call *c)
{
	switch (type) {
	case 'n':
		return kind == '-';
	case 'f':
		return kind == 'f' || (kind == '-' && looks(c));
	case 's':
		return kind == 's';
	case '*':
		return strchr("rp48dtTbcwvga", kind) != NULL;
	default: /* depends on another argument */
		return kind == '?' && looks(c);
	}
}

START_TEST(each_row_fits_its_calls_arguments)
{
	const struct ff_call *c = ff_call(_i);
	const char *types = call[_i].types;

	if (!is_made(c))
		return;
	ck_assert_msg(types, "call %d is not known here: add it", _i);
	ck_assert_msg(length(c) == strlen(types),
		      "%s: \"%.6s\" for %zu arguments", call[_i].name,
		      c->signature, strlen(types));
	for (size_t i = 0; i < length(c); i++)
		ck_assert_msg(may_be(types[i], c->signature[i], c),
			      "%s: argument %zu is a '%c', served as '%c'",
			      call[_i].name, i, types[i], c->signature[i]);
}
END_TEST

/* Where a length is in another argument, that one is a number. */
START_TEST(lengths_are_where_they_are_looked_for)
{
	const struct ff_call *c = ff_call(_i);

	for (size_t i = 0; i < length(c); i++) {
		char kind = c->signature[i], at = '-';

		if (strchr("bcvg", kind))
			at = i + 1 < length(c) ? c->signature[i + 1] : 0;
		else if (kind == 'w')
			at = i > 0 ? c->signature[i - 1] : 0;
		ck_assert_msg(at == '-', "call %d: argument %zu has no length",
			      _i, i);
	}
}
END_TEST

/* The facts of calls.def, which no program needs, against its decisions. */
enum {
	N = 0,
	W = 1,
	O = 2,
	P = 4,
	G = 8,
	L = 16,
	M = 32,
	R = 64
};

static const struct {
	const char *name;
	unsigned facts;
} fact[CALLS_MAX] = {
#define FF_CALL(nr, name, signature, lazy, fence, waits, fork, vfork, facts) \
	[nr] = { #name, facts },
#include "calls/calls.def"
#undef FF_CALL
};

/* Calls that may wait, and in which a child of vfork takes no signal: libc makes
 * them under a lock, they wait for a device alone, or nobody makes them. */
static bool waits_unseen(long nr)
{
	static const int calls[] = {
		/* the lock of a stream, of threads */
		SYS_write, SYS_writev, SYS_futex, SYS_futex_waitv, 455,
		/* files */
		SYS_pread64, SYS_preadv, SYS_pwrite64, SYS_pwritev, SYS_fsync,
		SYS_fdatasync, SYS_sync, SYS_syncfs, SYS_sync_file_range,
		SYS_readahead, SYS_copy_file_range, SYS_swapoff, SYS_io_submit,
		/* others */
		SYS_ptrace, SYS_getpmsg, SYS_putpmsg, SYS_afs_syscall,
		SYS_tuxcall, SYS_epoll_wait_old, SYS_restart_syscall,
		SYS_request_key, SYS_keyctl
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i] == nr)
			return true;
	return false;
}

START_TEST(decisions_fit_the_facts)
{
	const struct ff_call *c = ff_call(_i);
	const unsigned facts = fact[_i].facts;
	const char *name = fact[_i].name;

	if (!name) {
		ck_assert(!is_made(c) && c->waits == FF_WAITS_LOCKS &&
			  c->in_fork == FF_FORK_ABANDON &&
			  c->in_vfork == FF_VFORK_UNKNOWN);
		return;
	}
	ck_assert_msg(c->in_vfork != FF_VFORK_UNKNOWN, "%s", name);
	if (c->lazy == FF_LAZY_FREE)
		ck_assert_msg(!(facts & (W | O | M)), "%s is not free", name);
	if (c->lazy == FF_LAZY_OUTPUT)
		ck_assert_msg(!(facts & (W | M)), "%s may wait", name);
	if (c->fence == FF_FENCE_PASS)
		ck_assert_msg(!(facts & (W | P | G | L | M)),
			      "%s is not for borrowers", name);
	if (c->fence != FF_FENCE_LEAVE)
		ck_assert_msg(!(facts & M), "%s maps", name);
	if (ff_names_a_file(c))
		ck_assert_msg(c->fence == FF_FENCE_LEAVE, "%s may wait", name);
	ck_assert_msg(c->rights == ((facts & R) != 0), "%s", name);
	if (is_made(c) && (facts & G)) /* ... by a child of its own */
		ck_assert_msg((facts & R) || _i == SYS_set_robust_list ||
				      _i == SYS_arch_prctl || _i == SYS_rseq,
			      "%s may change rights", name);
	if (c->waits == FF_WAITS_AGAIN)
		ck_assert_msg(facts & W, "%s does not wait", name);
	if (facts & W)
		ck_assert_msg(c->waits != FF_WAITS_LOCKS || waits_unseen(_i),
			      "%s waits: is a signal taken in it?", name);
	if (c->in_fork == FF_FORK_MAKE)
		ck_assert_msg(!(facts & G) || c->in_vfork == FF_VFORK_IDS ||
				      c->in_vfork == FF_VFORK_MEMORY ||
				      _i == SYS_personality ||
				      _i == SYS_set_mempolicy ||
				      _i == SYS_modify_ldt,
			      "%s changes what was arranged", name);
}
END_TEST

/* What is passed to the kernel behind the fence may write only what the
 * signature has a size for. */
START_TEST(what_passes_the_fence_says_how_much_it_writes)
{
	const struct ff_call *c = ff_call(_i);

	for (size_t i = 0; c->fence == FF_FENCE_PASS && i < length(c); i++)
		ck_assert_msg(ff_bytes_written(c->signature[i]) != SIZE_MAX,
			      "call %d, argument %zu", _i, i);
}
END_TEST

START_TEST(sizes_are_those_of_the_kernel)
{
	ck_assert_uint_eq(ff_bytes_written('t'), sizeof(struct stat));
	ck_assert_uint_eq(ff_bytes_written('T'), sizeof(struct statx));
	ck_assert_uint_eq(ff_bytes_written('d'), sizeof(struct rlimit));
	ck_assert_uint_eq(ff_bytes_written('d'), sizeof(struct timespec));
}
END_TEST

/* What a child on trial may never just make. */
START_TEST(calls_that_block_or_reach_others_are_not_free)
{
	static const int never[] = {
		SYS_wait4,	   SYS_waitid,
		SYS_nanosleep,	   SYS_clock_nanosleep,
		SYS_pause,	   SYS_epoll_pwait,
		SYS_flock,	   SYS_accept4,
		SYS_connect,	   SYS_bind,
		SYS_sendto,	   SYS_sendmsg,
		SYS_sendmmsg,	   SYS_recvfrom,
		SYS_recvmsg,	   SYS_splice,
		SYS_sendfile,	   SYS_tgkill,
		SYS_tkill,	   SYS_rt_sigqueueinfo,
		SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
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
		SYS_pkey_mprotect,
	};
	static const int seen[] = {
		SYS_write,	 SYS_writev,	SYS_kill,  SYS_exit_group,
		SYS_unlink,	 SYS_rename,	SYS_mkdir, SYS_chmod,
		SYS_ftruncate,	 SYS_read,	SYS_open,  SYS_creat,
		SYS_fcntl,	 SYS_ioctl,	SYS_lseek, SYS_setpgid,
		SYS_setpriority, SYS_prlimit64, SYS_prctl, SYS_poll,
		SYS_pselect6,	 SYS_select,	SYS_ppoll, SYS_getsockopt,
		SYS_arch_prctl,	 SYS_mprotect,	SYS_mmap,  SYS_madvise,
		SYS_epoll_wait,	 SYS_epoll_ctl, SYS_rseq,  SYS_futex,
		SYS_clone,	 SYS_clone3,
	};

	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
		ck_assert_msg(ff_call(never[i])->lazy == FF_LAZY_LEAVE, "%s",
			      fact[never[i]].name);
	for (size_t i = 0; i < sizeof(seen) / sizeof(*seen); i++)
		ck_assert_msg(ff_call(seen[i])->lazy != FF_LAZY_FREE, "%s",
			      fact[seen[i]].name);
}
END_TEST

START_TEST(numbers_of_no_call_are_denied)
{
	static const long odd[] = { -1,		  -4096,
				    CALLS_MAX,	  1L << 31,
				    FF_OTHER_ABI, FF_OTHER_ABI + SYS_getpid,
				    0x40000000L,  0x40000000L + SYS_getpid };

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		ck_assert(!is_made(ff_call(odd[i])));
		ck_assert(ff_call(odd[i])->in_vfork == FF_VFORK_UNKNOWN);
	}
}
END_TEST

/* int $0x80 has numbers of its own: 20 is getpid there, and writev here. */
START_TEST(calls_of_another_abi_are_denied)
{
	siginfo_t info = { 0 };

	info.si_syscall = 20;
	info.si_arch = AUDIT_ARCH_X86_64;
	ck_assert_int_eq(ff_call_number(&info), 20);
	info.si_arch = AUDIT_ARCH_I386;
	ck_assert(ff_call(ff_call_number(&info))->lazy == FF_LAZY_LEAVE);
	ck_assert_int_eq((uint32_t)ff_call_number(&info), 20);
}
END_TEST

static bool is_odd(long nr, int argument, long flags)
{
	static const int reg[6] = { REG_RDI, REG_RSI, REG_RDX,
				    REG_R10, REG_R8,  REG_R9 };
	static ucontext_t uc;

	uc.uc_mcontext.gregs[reg[argument]] = flags;
	return ff_has_odd_flags(&uc, nr);
}

START_TEST(requests_and_flags_that_are_not_known_are_denied)
{
	const struct ff_request_rule *r = ff_request_rule(SYS_prctl, 4711);

	ck_assert(r->lazy == FF_LAZY_LEAVE && r->fence == FF_FENCE_LEAVE &&
		  r->in_vfork == FF_VFORK_UNKNOWN);
	r = ff_request_rule(SYS_getsockopt, SOL_SOCKET << 16 | SO_ERROR);
	ck_assert(r->lazy == FF_LAZY_LEAVE);
	r = ff_request_rule(SYS_getsockopt, SOL_SOCKET << 16 | SO_TYPE);
	ck_assert(r->lazy == FF_LAZY_FREE);
	/* a number of another call */
	ck_assert(ff_request_rule(SYS_fcntl, 15)->lazy == FF_LAZY_LEAVE);
	ck_assert(ff_request_rule(SYS_prctl, 15)->lazy == FF_LAZY_FREE);
	ck_assert(!is_odd(SYS_close_range, 2, 6));
	ck_assert(is_odd(SYS_close_range, 2, 8));
	ck_assert(is_odd(SYS_mmap, 3, MAP_PRIVATE | 0x200));
	ck_assert(
		!is_odd(SYS_mmap, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED));
	ck_assert(is_odd(SYS_msync, 2, MS_SYNC));
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_loop_test(tests, each_row_fits_its_calls_arguments, 0,
			    CALLS_MAX);
	tcase_add_loop_test(tests, lengths_are_where_they_are_looked_for, 0,
			    CALLS_MAX);
	tcase_add_loop_test(tests, decisions_fit_the_facts, 0, CALLS_MAX);
	tcase_add_loop_test(tests,
			    what_passes_the_fence_says_how_much_it_writes, 0,
			    CALLS_MAX);
	tcase_add_test(tests, sizes_are_those_of_the_kernel);
	tcase_add_test(tests, calls_that_block_or_reach_others_are_not_free);
	tcase_add_test(tests, numbers_of_no_call_are_denied);
	tcase_add_test(tests, calls_of_another_abi_are_denied);
	tcase_add_test(tests, requests_and_flags_that_are_not_known_are_denied);
}
