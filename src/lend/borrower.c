/*
 * The child's half. It runs the program's code in its parent's memory, with
 * its parent's thread pointer; a correct one execs or exits and calls nothing
 * of this but ff_borrow().
 *
 * A wrong one becomes a fork: it calls libc's fork(), as its parent's thread
 * might have, and under syscall user dispatch the clone that libc makes gets
 * one flag more: the new process is the parent's child. So it has libc's
 * order in handlers, locks and thread state, and the descriptors, directory,
 * limits and ids of the borrower, who then ends. Its pid is new; the parent
 * has not seen the other.
 *
 * Hazards
 *  H-B1 A borrower that is made a fork by a signal may hold locks that its
 *       parent would wait for in vain. It is done only in a system call, and
 *       with _Fork(), which needs no lock; else it waits until exec.
 *  H-B2 The new process has no handlers of the program, whose dispositions
 *       the kernel cleared: the parent tells them.
 *  H-B3 rseq was not registered in a process that shares memory; libc counts
 *       on it in one that does not.
 */
#include "lend/borrower.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <time.h>
#include <unistd.h>

#include "arch/arch.h"
#include "host/identity.h"
#include "lazy/gate.h"
#include "lazy/hooks.h"
#include "lazy/request.h"
#include "lazy/trap.h"
#include "lend/loan.h"
#include "lend/vfork.h"
#include "site/site.h"

#ifndef SYS_USER_DISPATCH
#define SYS_USER_DISPATCH 2
#endif

static void on_signal(int sig, siginfo_t *info, void *context);

static _Noreturn void end(void)
{
	for (;;)
		sys(exit_group, 0);
}

static void handle(int sig)
{
	struct ff_sigaction act = {
		.handler = on_signal,
		.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | FF_SA_RESTORER,
		.restorer = ff_sigreturn,
		.mask = FF_ALL_BUT_SYNCHRONOUS | FF_SIG(SIGSYS),
	};
	struct ff_sigaction old;

	sys(rt_sigaction, sig, &act, &old, sizeof(act.mask));
	if ((void *)old.handler == (void *)SIG_IGN)
		sys(rt_sigaction, sig, &old, NULL, sizeof(act.mask));
}

void ff_borrow(void *arg)
{
	struct ff_loan *loan = arg;
	stack_t ours = { .ss_sp = ff_loan_altstack(loan),
			 .ss_size = FF_LOAN_ALTSTACK_BYTES };
	ff_sigset left = loan->caught;

	sys(sigaltstack, &ours, NULL);
	handle(SIGSYS);
	for (; left; left &= left - 1)
		handle(__builtin_ctzl(left) + 1);
	ff_setmask(loan->mask);
	ff_resume(&loan->caller, 0);
}

/*
 * The parent's dispositions and alternate stack, into the loan. A parent that
 * was killed answers nothing: then there are none, and the memory is the
 * borrower's.
 */
static void ask_state(struct ff_loan *loan)
{
	const struct timespec patience = { 0, 100L * 1000 * 1000 };

	if (atomic_load(&loan->question) == FF_ANSWERED)
		return;
	atomic_store(&loan->question, FF_ASK_STATE);
	atomic_fetch_add(&loan->borrowed, 1);
	sys(futex, &loan->borrowed, FUTEX_WAKE, 1, NULL, NULL, 0);
	while (atomic_load(&loan->question) != FF_ANSWERED) {
		if (sys(futex, &loan->question, FUTEX_WAIT, FF_ASK_STATE,
			&patience, NULL, 0) != -ETIMEDOUT ||
		    sys(getppid) == loan->parent)
			continue;
		memset(loan->action, 0, sizeof(loan->action));
		loan->altstack = (stack_t){ .ss_flags = SS_DISABLE };
		atomic_store(&loan->question, FF_ANSWERED);
	}
}

/* H-B2. What the borrower set itself stays. */
static void restore_actions(const struct ff_loan *loan)
{
	const struct ff_sigaction *was;
	struct ff_sigaction now;
	int sig;

	for (sig = 1; sig <= FF_SIGNALS; sig++) {
		was = &loan->action[sig - 1];
		sys(rt_sigaction, sig, NULL, &now, sizeof(now.mask));
		if (now.handler == on_signal ||
		    (ff_is_handler(was) && !(loan->changed & FF_SIG(sig))))
			sys(rt_sigaction, sig, was, NULL, sizeof(now.mask));
	}
}

/* H-B3 */
static void restore_rseq(void)
{
#ifdef RSEQ_SIG
	if (__rseq_size)
		sys(rseq, ff_thread_pointer() + (uintptr_t)__rseq_offset,
		    __rseq_size < 32 ? 32 : __rseq_size, 0, RSEQ_SIG);
#endif
}

/* The leader of a group or session of its own is so again. */
static void restore_leadership(pid_t borrower)
{
	if (sys(getsid, 0) == borrower)
		sys(setsid);
	else if (sys(getpgid, 0) == borrower)
		sys(setpgid, 0, 0);
}

/* What a fork does not inherit, but the borrower has set for itself. */
static void note_task(struct ff_task *task)
{
	int i;

	sys(prctl, PR_GET_PDEATHSIG, &task->death_signal);
	for (i = 0; i < FF_TIMERS; i++)
		sys(getitimer, i, &task->timer[i]);
}

static void restore_task(const struct ff_task *task)
{
	int i;

	if (task->death_signal)
		sys(prctl, PR_SET_PDEATHSIG, task->death_signal);
	for (i = 0; i < FF_TIMERS; i++)
		if (task->timer[i].it_value.tv_sec ||
		    task->timer[i].it_value.tv_usec)
			sys(setitimer, i, &task->timer[i], NULL);
}

static void give_arrived(const struct ff_loan *loan)
{
	ff_sigset left = loan->arrived;
	int sig;

	for (; left; left &= left - 1) {
		sig = __builtin_ctzl(left) + 1;
		sys(rt_tgsigqueueinfo, ff_getpid(), ff_gettid(), sig,
		    &loan->info[sig - 1]);
	}
}

/* In the new process, all signals blocked: an ordinary one from here on. */
static void settle(struct ff_loan *loan)
{
	if (*loan->return_slot == (uintptr_t)ff_lent_return)
		*loan->return_slot = loan->return_address;
	ff_loan = NULL;
	restore_actions(loan);
	restore_rseq();
	restore_leadership(loan->child);
	restore_task(&loan->task);
	ff_trap_reset();
	ff_new_process(NULL);
	ff_site_born_real(NULL);
	give_arrived(loan);
}

/* The system calls of libc's fork() in the borrower. */
static void own_call(struct ff_loan *loan, ucontext_t *uc, long nr)
{
	struct ff_request rq;
	long rc;

	switch (nr) {
	case SYS_rt_sigprocmask:
		rc = ff_change_mask(&loan->own_mask, ff_arg(uc, 0),
				    (const ff_sigset *)ff_arg(uc, 1),
				    (ff_sigset *)ff_arg(uc, 2), ff_arg(uc, 3));
		break;
	case SYS_fork:
	case SYS_clone:
	case SYS_clone3:
		rc = -EAGAIN;
		if (ff_parse_request(uc, nr, &rq) && !rq.stack)
			rc = sys(clone,
				 rq.flags | CLONE_PARENT | CLONE_PARENT_SETTID |
					 SIGCHLD,
				 0, &loan->own, rq.child_tid, 0);
		break;
	case SYS_vfork:
	case SYS_execve:
	case SYS_execveat:
	case SYS_rt_sigreturn:
		/* A fork handler does more than we follow. */
		loan->error = EAGAIN;
		end();
	default:
		rc = ff_sys(nr, ff_arg(uc, 0), ff_arg(uc, 1), ff_arg(uc, 2),
			    ff_arg(uc, 3), ff_arg(uc, 4), ff_arg(uc, 5));
	}
	ff_set_result(uc, rc);
}

/* Returns in the new process alone, with all signals blocked and the mask of
 * the program in the loan; the loan is its own, too. */
static void become(struct ff_loan *loan, pid_t (*fork_function)(void),
		   const char *why)
{
	pid_t pid;

	loan->why = why;
	loan->own_mask = ff_block_signals();
	ff_setmask(ff_our_mask(loan->own_mask));
	ask_state(loan);
	note_task(&loan->task);
	handle(SIGSYS);
	ff_gate_enter_real();
	loan->gate = true;
	ff_dispatch(true);
	pid = fork_function();
	if (pid != 0) {
		ff_dispatch(false);
		loan->gate = false;
		ff_gate_leave_real();
		if (pid < 0)
			loan->error = errno;
		end();
	}
	ff_setmask(ff_our_mask(loan->own_mask));
	settle(loan);
}

/* The program's alternate stack, unless the borrower has set another one;
 * @sp is where the new process goes on. */
static void restore_altstack(struct ff_loan *loan, uintptr_t sp)
{
	stack_t now = { 0 };

	sys(sigaltstack, NULL, &now);
	if (now.ss_sp == ff_loan_altstack(loan))
		ff_sigaltstack_from(&loan->altstack, sp);
}

void ff_own_memory(const char *why)
{
	struct ff_loan *loan = ff_loan;
	int error = errno;

	if (!loan)
		return;
	if (!ff_identity_is_copy(loan->child)) {
		become(loan, loan->libc.fork, why);
		restore_altstack(loan, (uintptr_t)&error);
		ff_setmask(loan->own_mask);
	} else {
		/* A fork made by somebody that we did not see. */
		ff_loan = NULL;
		*loan->return_slot = loan->return_address;
	}
	ff_loan_put(loan);
	errno = error;
}

uintptr_t ff_lent_returned(void)
{
	uintptr_t to = ff_loan->return_address;

	ff_own_memory("returns from the function that called vfork");
	return to;
}

/*
 * H-B1. Calls in which a child waits for others, or is stopped; libc makes
 * them with no lock held, but for reads by stdio. The first ones the kernel
 * repeats behind a handler with SA_RESTART, and else fails with EINTR.
 */
static const short calls[] = {
	SYS_read,
	SYS_readv,
	SYS_open,
	SYS_openat,
	SYS_ioctl,
	SYS_flock,
	SYS_wait4,
	SYS_waitid,
	SYS_accept,
	SYS_accept4,
	SYS_connect,
	SYS_recvfrom,
	SYS_recvmsg,
	SYS_sendto,
	SYS_sendmsg,
	SYS_fcntl,
	SYS_poll,
	SYS_ppoll,
	SYS_select,
	SYS_pselect6,
	SYS_epoll_wait,
	SYS_epoll_pwait,
	SYS_pause,
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_rt_sigsuspend,
	SYS_kill,
	SYS_tkill,
	SYS_tgkill,
	SYS_rt_sigprocmask,
	SYS_rt_sigtimedwait,
	SYS_semop,
	SYS_semtimedop,
	SYS_msgrcv,
	SYS_msgsnd,
};

#define REPEATED 15

static bool is_among(long call, size_t most)
{
	size_t i;

	for (i = 0; i < most; i++)
		if (calls[i] == call)
			return true;
	return false;
}

static bool waits_for_others(long call)
{
	return is_among(call, REPEATED);
}

static bool may_leave_in(long call)
{
	return is_among(call, sizeof(calls) / sizeof(calls[0]));
}

/*
 * H-B1. @uc is where the new process goes on: in a call that was interrupted
 * by @sig, for the program's handler, or by a stop, 0.
 */
static void become_in_handler(struct ff_loan *loan, ucontext_t *uc, int sig,
			      const char *why)
{
	ff_sigset mask = *(ff_sigset *)&uc->uc_sigmask;
	int stopped_by = loan->stopped_by, error = errno;

	become(loan, loan->libc.bare_fork, why);
	if (stopped_by)
		sys(kill, ff_getpid(), stopped_by);
	if (sig && !(loan->action[sig - 1].flags & SA_RESTART) &&
	    ff_call_repeats(uc) && waits_for_others(ff_call_at(uc)))
		ff_fail_call(uc, -EINTR);
	if (uc->uc_stack.ss_sp == ff_loan_altstack(loan))
		uc->uc_stack = loan->altstack;
	restore_altstack(loan, ff_stack_pointer(uc));
	*(ff_sigset *)&uc->uc_sigmask = mask;
	ff_loan_put(loan);
	errno = error;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	struct ff_loan *loan = ff_loan;
	ucontext_t *uc = context;
	bool asked = sig == SIGSYS && loan->stopped_by;

	if (sig == SIGSYS && info->si_code == SYS_USER_DISPATCH) {
		own_call(loan, uc, info->si_syscall);
		return;
	}
	if (!asked) {
		loan->arrived |= FF_SIG(sig);
		loan->info[sig - 1] = *info;
	}
	if (loan->libc.bare_fork && may_leave_in(ff_call_at(uc)))
		become_in_handler(loan, uc, asked ? 0 : sig,
				  asked ? "was stopped" :
					  "has a signal to take");
	else if (asked)
		sys(kill, ff_getpid(), loan->stopped_by);
}

void ff_borrower_execs(void)
{
	if (ff_loan && ff_loan->arrived)
		ff_own_memory("has a signal to take");
}

void ff_ids_note(struct ff_ids *ids)
{
	sys(getresuid, &ids->uid[0], &ids->uid[1], &ids->uid[2]);
	sys(getresgid, &ids->gid[0], &ids->gid[1], &ids->gid[2]);
	ids->dumpable = sys(prctl, PR_GET_DUMPABLE);
	ids->noted = true;
}

void ff_borrower_changes_ids(void)
{
	if (ff_loan && !ff_loan->ids.noted)
		ff_ids_note(&ff_loan->ids);
}

void ff_borrower_sets_action(int sig, const void *handler)
{
	if (!ff_loan || sig < 1 || sig > FF_SIGNALS)
		return;
	if (handler == (const void *)on_signal)
		return; /* it puts back what it was told to be there */
	if (handler != (const void *)SIG_DFL &&
	    handler != (const void *)SIG_IGN) {
		ff_own_memory("handles a signal");
		return;
	}
	ff_loan->changed |= FF_SIG(sig);
	ff_loan->arrived &= ~FF_SIG(sig);
}

void ff_borrower_tells_altstack(stack_t *stack)
{
	if (!ff_loan || stack->ss_sp != ff_loan_altstack(ff_loan))
		return;
	ask_state(ff_loan);
	*stack = ff_loan->altstack;
}

bool ff_borrower_jumps_out(const void *jmp_buf)
{
	return ff_loan &&
	       ff_jump_target(jmp_buf) > (uintptr_t)ff_loan->return_slot;
}
