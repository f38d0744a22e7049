/*
 * How a borrower becomes a fork: it calls libc's fork(), as its parent's
 * thread might have, and under syscall user dispatch the clone that libc makes
 * gets one flag more: the new process is the parent's child. So it has libc's
 * order in handlers, locks and thread state, and the descriptors, directory,
 * limits and ids of the borrower, who then ends. Its pid is new; the parent
 * has not seen the other.
 *
 * Hazards
 *  H-O1 The new process has no handlers of the program, whose dispositions
 *       the kernel cleared: the parent tells them.
 *  H-O2 rseq was not registered in a process that shares memory; libc counts
 *       on it in one that does not.
 *  H-O4 libc may block all signals for its clone, and then restores in the new
 *       process what it found (glibc 2.41 and later), where nobody is in
 *       between: so it finds all of them blocked.
 *  And H-O5, at die().
 */
#include "lend/child/become.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "arch/arch.h"
#include "calls/calls.h"
#include "calls/request.h"
#include "host/fault.h"
#include "host/newborn.h"
#include "host/pidns.h"
#include "lend/child/borrower.h"
#include "lend/child/farewell.h"
#include "lend/entry.h"
#include "lend/loan.h"
#include "libc/rseq.h"
#include "libc/tids.h"
#include "process/sigsys.h"

/* Five seconds. */
#define PAUSE_NS (10L * 1000 * 1000)
#define TRIES 500
#define FAULTY_TRIES 3

void ff_ask_state(struct ff_loan *loan)
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
		    !ff_parent_is_dead(loan->parent))
			continue;
		memset(loan->action, 0, sizeof(loan->action));
		loan->altstack = (stack_t){ .ss_flags = SS_DISABLE };
		atomic_store(&loan->question, FF_ANSWERED);
	}
}

/* Flags and mask that go with no handler are the program's, too: SA_NOCLDWAIT,
 * say. Who clears handlers for a borrower clears them. */
static bool has_lost(const struct ff_sigaction *was,
		     const struct ff_sigaction *now)
{
	return was->handler == now->handler &&
	       (was->flags != now->flags || was->mask != now->mask);
}

/* H-O1. What the borrower set itself stays. */
static void restore_actions(const struct ff_loan *loan)
{
	const struct ff_sigaction *was;
	struct ff_sigaction now;
	int sig;

	for (sig = 1; sig <= FF_SIGNALS; sig++) {
		was = &loan->action[sig - 1];
		sys(rt_sigaction, sig, NULL, &now, sizeof(now.mask));
		if (ff_borrower_is_handler((const void *)now.handler) ||
		    ((ff_is_handler(was) || has_lost(was, &now)) &&
		     !(loan->changed & FF_SIG(sig))))
			sys(rt_sigaction, sig, was, NULL, sizeof(now.mask));
	}
}

/* The leader of a group or session of its own is so again. */
static void restore_leadership(pid_t borrower)
{
	if (sys(getsid, 0) == borrower)
		sys(setsid);
	else if (sys(getpgid, 0) == borrower)
		sys(setpgid, 0, 0);
}

/* What a fork does not inherit, but the borrower has set for itself. Its timers
 * are stopped: they would go on telling it. */
static void take_task(struct ff_task *task)
{
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct itimerval *real = &task->timer[ITIMER_REAL];
	int i;

	sys(prctl, PR_GET_PDEATHSIG, &task->death_signal);
	for (i = 0; i < FF_TIMERS; i++)
		sys(setitimer, i, &never, &task->timer[i]);
	/* It stands still while its signal waits to be taken. */
	if (!real->it_value.tv_sec && !real->it_value.tv_usec)
		real->it_value = real->it_interval;
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

/* In the new process, all signals blocked: an ordinary one from here on. */
static void settle(struct ff_loan *loan)
{
	ff_fence_lower(loan);
	if (loan->fenced)
		ff_fence_adopt(loan);
	if (*loan->return_slot == (uintptr_t)ff_lent_return)
		*loan->return_slot = loan->return_address;
	ff_loan = NULL;
	restore_actions(loan);
	ff_rseq_register(); /* H-O2 */
	restore_leadership(loan->child);
	restore_task(&loan->task);
	ff_new_process();
	ff_raise_taken(loan->arrived, loan->info);
}

/*
 * H-O5 A child has acted: fork and vfork can't fail any more. What is missing
 * now comes back, as a rule; else it ends as processes do for which there is
 * no room, and they have succeeded. It holds no lock of its parent's here.
 */
static _Noreturn void die(void)
{
	for (;;)
		sys(kill, ff_getpid(), SIGKILL);
}

static bool is_short_of(long rc)
{
	return rc == -EAGAIN || rc == -ENOMEM;
}

static long make_fork(struct ff_loan *loan, const struct ff_request *rq)
{
	const struct timespec pause = { 0, PAUSE_NS };
	long rc;
	int i;

	for (i = 0;; i++) {
		rc = ff_fault(FF_FAULT_NO_ROOM) && i < FAULTY_TRIES ?
			     -EAGAIN :
			     sys(clone,
				 rq->flags | CLONE_PARENT |
					 CLONE_PARENT_SETTID | SIGCHLD,
				 0, &loan->own, rq->child_tid, 0);
		if (!is_short_of(rc) || i == TRIES)
			return rc;
		sys(nanosleep, &pause, NULL);
	}
}

/* The clone, and all signals on the right side of it. */
static long fork_here(struct ff_loan *loan, const struct ff_request *rq)
{
	struct ff_farewell *f = ff_farewell_map();
	long rc;

	loan->arrived |= ff_take_pending(loan->info);
	if (ff_fault(FF_FAULT_SIGNAL_LEAVING))
		sys(kill, 0, SIGUSR1);
	rc = make_fork(loan, rq);
	if (rc > 0 && ff_fault(FF_FAULT_SIGNAL_LEFT))
		sys(kill, 0, SIGUSR1);
	if (f && rc > 0)
		ff_farewell_say(f);
	else if (f && rc == 0)
		ff_farewell_hear(loan, f);
	if (f)
		sys(munmap, f, sizeof(*f));
	return rc;
}

/* Of a fork handler's calls none may fail for our sake, or end the child: libc
 * holds locks, and the memory is the parent's. */
void ff_become_call(struct ff_loan *loan, ucontext_t *uc, long nr)
{
	struct ff_request rq;
	long rc;

	switch ((enum ff_in_fork)ff_call(nr)->in_fork) {
	case FF_FORK_MASK:
		rc = ff_change_mask(&loan->own_mask, ff_arg(uc, 0),
				    (const ff_sigset *)ff_arg(uc, 1),
				    (ff_sigset *)ff_arg(uc, 2), ff_arg(uc, 3));
		break;
	case FF_FORK_CLONE:
		rc = -EAGAIN;
		if (ff_parse_request(uc, nr, &rq) && !rq.stack)
			rc = fork_here(loan, &rq);
		break;
	case FF_FORK_NEVER:
		/* Not to be made from here; an exec does not return. */
		rc = -EAGAIN;
		if (ff_call(nr)->in_vfork != FF_VFORK_EXECS)
			break;
		/* fall through */
	case FF_FORK_ABANDON:
	case FF_FORK_MAKE:
	case FF_FORK_LOCK:
		rc = ff_sys(nr, ff_arg(uc, 0), ff_arg(uc, 1), ff_arg(uc, 2),
			    ff_arg(uc, 3), ff_arg(uc, 4), ff_arg(uc, 5));
		break;
	default:
		rc = -ENOSYS;
	}
	ff_set_result(uc, rc);
}

void ff_become(struct ff_loan *loan, pid_t (*fork_function)(void),
	       const char *why)
{
	ff_sigset mask, programs;
	pid_t pid;

	ff_fence_open(loan);
	loan->why = why;
	mask = ff_block_signals();
	if (!loan->fence.stands)
		loan->own_mask = mask; /* else we kept it */
	/* H-O4 */
	programs = loan->own_mask;
	loan->own_mask = ff_our_mask(programs);
	ff_setmask(loan->own_mask | FF_SIG(SIGSYS));
	/* Anew: the answer is that no marks of the parent's stand, either. */
	atomic_store(&loan->question, FF_ASK_NOTHING);
	ff_ask_state(loan);
	take_task(&loan->task);
	if (loan->fenced)
		ff_fence_note(loan);
	/* It would not have all memory; or dispatch was forbidden meanwhile,
	 * and libc's child would not be our parent's. */
	if (loan->unclean || !ff_borrower_handles(SIGSYS) ||
	    ff_fault(FF_FAULT_NO_WAY_BACK))
		die();
	ff_setmask(loan->own_mask);
	loan->dispatches = 1; /* behind a fence they are since its birth */
	pid = fork_function();
	if (pid != 0) {
		ff_dispatch(false);
		if (pid < 0)
			die(); /* H-O5 */
		ff_end();
	}
	loan->own_mask = programs;
	ff_setmask(ff_our_mask(programs));
	settle(loan);
}

void ff_restore_altstack(struct ff_loan *loan, uintptr_t sp)
{
	stack_t now = { 0 };

	sys(sigaltstack, NULL, &now);
	if (now.ss_sp == ff_loan_altstack(loan))
		ff_sigaltstack_from(&loan->altstack, sp);
}

/* A sleep goes on with what was left, if that was to be told: right behind what
 * was asked for. Of a point in time, which flags before it say, nothing is left. */
static void sleep_on(ucontext_t *uc, const char *signature)
{
	int i;

	for (i = 0; i + 1 < FF_CALL_ARGUMENTS && signature[i]; i++)
		if (signature[i] == 'r' && signature[i + 1] == 'p' &&
		    ff_arg(uc, i + 1) &&
		    !(i > 0 && (ff_arg(uc, i - 1) & TIMER_ABSTIME)))
			ff_move_arg(uc, i + 1, i);
}

/* Of who was stopped in a wait nothing was handled: the kernel would have gone
 * on with it. */
static void wait_on(ucontext_t *uc)
{
	const long nr = ff_call_at(uc);

	if (nr < 0 || !ff_call_was_interrupted(uc) ||
	    ff_call(nr)->waits != FF_WAITS_STILL)
		return;
	ff_rewind(uc, nr);
	sleep_on(uc, ff_call(nr)->signature);
}

void ff_become_in_handler(struct ff_loan *loan, ucontext_t *uc, int sig,
			  const char *why)
{
	bool fenced = loan->fence.stands;
	ff_sigset mask =
		fenced ? loan->own_mask : *(ff_sigset *)&uc->uc_sigmask;
	int stopped_by = loan->stopped_by, error = errno;

	loan->stack_in_use = ff_stack_pointer(uc) - FF_PASS_BACK;
	ff_become(loan, loan->libc.bare_fork, why);
	if (fenced)
		ff_tids_change_registers(uc, ff_gettid());
	if (stopped_by && !loan->arrived)
		wait_on(uc);
	if (stopped_by)
		sys(kill, ff_getpid(), stopped_by);
	if (sig && !(loan->action[sig - 1].flags & SA_RESTART) &&
	    ff_call_repeats(uc) &&
	    ff_call(ff_call_at(uc))->waits == FF_WAITS_AGAIN)
		ff_fail_call(uc, -EINTR);
	if (uc->uc_stack.ss_sp == ff_loan_altstack(loan))
		uc->uc_stack = loan->altstack;
	ff_restore_altstack(loan, ff_stack_pointer(uc));
	*(ff_sigset *)&uc->uc_sigmask = mask;
	if (fenced)
		ff_keys_into(uc);
	ff_loan_put(loan);
	errno = error;
}
