/*
 * What a child behind the fence does that comes to us: all its system calls,
 * and its faults.
 *
 * The kernel may not write where the child may not: then it says EFAULT where
 * it would have written for a fork. So a call is made only if it is known to
 * write nothing, or into memory that the fence keeps. Every other makes the
 * child a fork first.
 *
 * Calls are made from ff_let_through(), outside of the handler, with the
 * program's mask: a child that waits in one takes signals as it would. Of
 * those that wait, only such as the kernel repeats behind a handler: a child
 * that takes too long is told so by a signal, which it must not see.
 *
 * Hazards
 *  H-F1 A child that holds its parent too long must leave, but a signal sent
 *       by the parent might meet the program that the child has just become.
 *       So it is the child's own timer, which the kernel takes away at exec
 *       with all that it has sent.
 *  H-F2 Some files of /proc mean the memory, not the process: what is written
 *       to them is the parent's as well.
 *  H-F3 The fork that a child becomes has another pid. So neither the child
 *       nor anybody else may have learnt the one it has: calls that tell it,
 *       make it the name of a group or session, or send it along (signals,
 *       sockets), and ways into /proc, which lead to this process, are not
 *       passed. What a fork does not inherit, neither.
 */
#include "lend/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "arch/arch.h"
#include "lazy/trap.h"
#include "lend/become.h"
#include "lend/borrower.h"
#include "lend/loan.h"
#include "tell/options.h"

/* Write to no memory, whatever their arguments; what they change is the
 * child's alone. */
static const short harmless[] = {
	SYS_execve,	    SYS_execveat,    SYS_exit_group,
	SYS_exit,	    SYS_close,	     SYS_dup,
	SYS_dup2,	    SYS_dup3,	     SYS_close_range,
	SYS_lseek,	    SYS_umask,	     SYS_getsid,
	SYS_getpgid,	    SYS_getpgrp,     SYS_getppid,
	SYS_getuid,	    SYS_geteuid,     SYS_getgid,
	SYS_getegid,	    SYS_setgroups,   SYS_getpriority,
	SYS_setpriority,    SYS_ioprio_set,  SYS_access,
	SYS_faccessat,	    SYS_faccessat2,  SYS_unlink,
	SYS_unlinkat,	    SYS_mkdir,	     SYS_mkdirat,
	SYS_rename,	    SYS_chmod,	     SYS_fchmod,
	SYS_chown,	    SYS_fchown,	     SYS_alarm,
	SYS_sched_yield,    SYS_setrlimit,
};

/* Change ids, and what all who share the memory have to do with them. */
static const short changes_ids[] = {
	SYS_setuid,    SYS_setgid,    SYS_setreuid, SYS_setregid,
	SYS_setresuid, SYS_setresgid, SYS_setfsuid, SYS_setfsgid,
};

/* Write @bytes where argument @argument points, unless that is NULL. */
static const struct {
	short nr, argument, bytes;
} writes[] = {
	{ SYS_pipe, 0, 2 * sizeof(int) },
	{ SYS_pipe2, 0, 2 * sizeof(int) },
	{ SYS_getrlimit, 1, sizeof(struct rlimit) },
	{ SYS_prlimit64, 3, sizeof(struct rlimit) },
	{ SYS_stat, 1, sizeof(struct stat) },
	{ SYS_fstat, 1, sizeof(struct stat) },
	{ SYS_newfstatat, 2, sizeof(struct stat) },
};

static bool holds(const struct ff_loan *loan, const ucontext_t *uc, long at,
		  size_t bytes)
{
	return ff_fence_holds(loan, ff_stack_pointer(uc), (uintptr_t)at, bytes);
}

static bool writes_inside(const struct ff_loan *loan, const ucontext_t *uc,
			  long nr)
{
	size_t i;
	long at;

	for (i = 0; i < sizeof(writes) / sizeof(*writes); i++) {
		if (writes[i].nr != nr)
			continue;
		at = ff_arg(uc, writes[i].argument);
		return !at || holds(loan, uc, at, (size_t)writes[i].bytes);
	}
	return false;
}

/* H-F2, H-F3: not a file that anybody might have. */
static bool is_special(long fd)
{
	struct statfs s = { 0 };

	return sys(fstatfs, fd, &s) == 0 &&
	       (s.f_type == PROC_SUPER_MAGIC || s.f_type == SOCKFS_MAGIC);
}

/* H-F3. What is not there can't be made there, either. */
static bool leads_to_proc(long directory, long path, long flags)
{
	const long kept = O_NOFOLLOW | O_DIRECTORY;
	long fd = sys(openat, directory, path,
		      O_PATH | O_CLOEXEC | (flags & kept), 0);
	bool special;

	if (fd < 0)
		return fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM;
	special = is_special(fd);
	sys(close, fd);
	return special;
}

static bool is_harmless_fcntl(long command)
{
	return command == F_DUPFD || command == F_DUPFD_CLOEXEC ||
	       command == F_GETFD || command == F_SETFD || command == F_GETFL ||
	       command == F_SETFL;
}

static bool is_harmless_ioctl(long request)
{
	return request == FIOCLEX || request == FIONCLEX ||
	       request == TIOCSCTTY || request == TIOCNOTTY ||
	       request == TIOCSPGRP;
}

static bool is_harmless_prctl(long option)
{
	return option == PR_SET_PDEATHSIG || option == PR_SET_NAME ||
	       option == PR_SET_NO_NEW_PRIVS || option == PR_SET_KEEPCAPS;
}

static bool may_pass(const struct ff_loan *loan, const ucontext_t *uc, long nr)
{
	switch (nr) {
	case SYS_write:
	case SYS_writev:
	case SYS_pwrite64:
	case SYS_ftruncate:
	case SYS_fchdir:
		return !is_special(ff_arg(uc, 0));
	case SYS_open:
		return !leads_to_proc(AT_FDCWD, ff_arg(uc, 0), ff_arg(uc, 1));
	case SYS_creat:
	case SYS_chdir:
	case SYS_chroot:
		return !leads_to_proc(AT_FDCWD, ff_arg(uc, 0), 0);
	case SYS_openat:
		return !leads_to_proc(ff_arg(uc, 0), ff_arg(uc, 1),
				      ff_arg(uc, 2));
	case SYS_fcntl:
		return is_harmless_fcntl(ff_arg(uc, 1));
	case SYS_ioctl:
		return is_harmless_ioctl(ff_arg(uc, 1));
	case SYS_prctl:
		return is_harmless_prctl(ff_arg(uc, 0));
	case SYS_read:
		return holds(loan, uc, ff_arg(uc, 1), (size_t)ff_arg(uc, 2));
	case SYS_execve:
	case SYS_execveat:
		/* The kernel's mask lacks these while we need them. */
		return !(loan->own_mask & FF_NEEDED);
	default:
		return FF_IS_AMONG(harmless, nr) || FF_IS_AMONG(changes_ids, nr) ||
		       writes_inside(loan, uc, nr);
	}
}

static void pass(ucontext_t *uc, long nr)
{
	uintptr_t sp = ff_stack_pointer(uc);

	*(uintptr_t *)(sp - FF_PASS_BACK) =
		(uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
	ff_jump(uc, ff_let_through);
	ff_set_result(uc, nr);
}

/* True: done. The kernel never blocks what the fence needs. */
static bool change_mask(struct ff_loan *loan, ucontext_t *uc)
{
	const long set = ff_arg(uc, 1), old = ff_arg(uc, 2);
	const long bytes = (long)sizeof(ff_sigset);

	if ((set && !holds(loan, uc, set, (size_t)bytes)) ||
	    (old && !holds(loan, uc, old, (size_t)bytes)))
		return false;
	ff_set_result(uc, ff_change_mask(&loan->own_mask, ff_arg(uc, 0),
					 (const ff_sigset *)set,
					 (ff_sigset *)old, ff_arg(uc, 3)));
	*(ff_sigset *)&uc->uc_sigmask = loan->own_mask & ~FF_NEEDED;
	return true;
}

/* The same for a disposition: the old one is the parent's to tell, until the
 * child has set its own. Handlers, and what the fence needs, are not for a
 * child in borrowed memory. */
static bool change_action(struct ff_loan *loan, ucontext_t *uc)
{
	const long sig = ff_arg(uc, 0), set = ff_arg(uc, 1),
		   old = ff_arg(uc, 2);
	const struct ff_sigaction *act = (const struct ff_sigaction *)set;
	struct ff_sigaction was;
	long rc;

	if (sig < 1 || sig > FF_SIGNALS || (FF_SIG(sig) & FF_NEEDED) ||
	    ff_arg(uc, 3) != (long)sizeof(ff_sigset) ||
	    (set &&
	     (!holds(loan, uc, set, sizeof(*act)) || ff_is_handler(act))) ||
	    (old && !holds(loan, uc, old, sizeof(was))))
		return false;
	if (old)
		ff_ask_state(loan);
	rc = sys(rt_sigaction, sig, act, &was, sizeof(ff_sigset));
	if (rc == 0 && old)
		*(struct ff_sigaction *)old = loan->changed & FF_SIG(sig) ?
						      was :
						      loan->action[sig - 1];
	if (rc == 0 && set)
		loan->changed |= FF_SIG(sig);
	ff_set_result(uc, rc);
	return true;
}

static void call(struct ff_loan *loan, ucontext_t *uc, long nr)
{
	if ((nr == SYS_rt_sigprocmask && change_mask(loan, uc)) ||
	    (nr == SYS_rt_sigaction && change_action(loan, uc)))
		return;
	if (may_pass(loan, uc, nr) &&
	    holds(loan, uc, (long)(ff_stack_pointer(uc) - FF_PASS_BACK),
		  sizeof(uintptr_t))) {
		if (FF_IS_AMONG(changes_ids, nr))
			ff_borrower_changes_ids();
		pass(uc, nr);
		return;
	}
	ff_become_in_handler(loan, uc, 0,
			     "makes a call that is not for borrowers");
	ff_rewind(uc, nr);
}

/* A call that was interrupted, or was about to be made: seen where the
 * program made it. */
static void leave_pass(ucontext_t *uc)
{
	uintptr_t at = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP], back;

	if (at != (uintptr_t)ff_let_through &&
	    at != (uintptr_t)ff_let_through_done)
		return;
	back = *(uintptr_t *)(ff_stack_pointer(uc) - FF_PASS_BACK);
	if (at == (uintptr_t)ff_let_through)
		back -= FF_CALL_BYTES;
	uc->uc_mcontext.gregs[REG_RIP] = (greg_t)back;
}

static bool strays(int sig, const siginfo_t *info)
{
	return sig == SIGSEGV && info->si_code == SEGV_PKUERR &&
	       info->si_pkey == 0;
}

/* A fault, of an instruction that will be executed again. */
static bool comes_again(int sig, const siginfo_t *info)
{
	return info->si_code > 0 && sig != SIGTRAP &&
	       (FF_SIG(sig) & FF_SYNCHRONOUS);
}

bool ff_fenced_signal(struct ff_loan *loan, int sig, const siginfo_t *info,
		      ucontext_t *uc)
{
	if (sig == SIGSYS && info->si_code == SYS_USER_DISPATCH) {
		call(loan, uc, info->si_syscall);
		return true;
	}
	leave_pass(uc);
	if (sig == SIGSYS && info->si_code == SI_TIMER) {
		loan->late = true;
		ff_become_in_handler(loan, uc, 0, "takes too long");
		return true;
	}
	if (!comes_again(sig, info))
		return false;
	if (!strays(sig, info) ||
	    !ff_fence_mend(loan, (uintptr_t)info->si_addr))
		ff_become_in_handler(loan, uc, 0,
				     strays(sig, info) ? "writes to memory" :
							 "faults");
	return true;
}

/* H-F1 */
static bool start_timer(void)
{
	const long ms = ff_options.budget_ms;
	const struct itimerspec budget = {
		.it_value = { ms / 1000, ms % 1000 * 1000000 },
	};
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGSYS };
	int timer;

	return sys(timer_create, CLOCK_MONOTONIC, &event, &timer) == 0 &&
	       sys(timer_settime, timer, 0, &budget, NULL) == 0;
}

void ff_fenced_begin(struct ff_loan *loan)
{
	ff_borrower_handles(SIGSEGV);
	loan->own_mask = loan->mask;
	if (!start_timer()) {
		ff_own_memory("can't have a timer");
		return;
	}
	ff_setmask(loan->mask);
	ff_dispatch(true);
	ff_fence_close(loan);
}
