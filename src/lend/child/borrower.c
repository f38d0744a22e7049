/*
 * The child's half. It runs the program's code in its parent's memory, with
 * its parent's thread pointer; a correct one execs or exits and calls nothing
 * of this but ff_borrow().
 *
 * A wrong one becomes a fork (become.c).
 *
 * Hazards
 *  H-B1 A borrower that is made a fork by a signal may hold locks that its
 *       parent would wait for in vain. It is done only in a system call, and
 *       with _Fork(), which needs no lock; else it waits until exec.
 *  H-B2 see vfork.c, H-V6: a parent that has died meanwhile has no child.
 *  H-B3 A fault can't wait, and comes again in the fork. Locks that the child
 *       holds there would be held in its parent's memory whatever is done.
 *  H-B4 While it becomes a fork it needs SIGSYS, and can't block it: that may be
 *       sent meanwhile, by its timer, or by its parent, which both have their
 *       way, or by anybody, which is for the fork. So may signals of faults be.
 *  H-B5 Behind the fence it may be in a handler for as long as its exec takes.
 *       A signal of a fault that somebody sends then must not make it a fork
 *       inside of that, which would go on in the handler without its loan.
 */
#include "lend/child/borrower.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "arch/arch.h"
#include "calls/calls.h"
#include "host/fault.h"
#include "host/identity.h"
#include "host/pidns.h"
#include "lend/child/become.h"
#include "lend/child/envoy.h"
#include "lend/entry.h"
#include "lend/headroom.h"
#include "lend/loan.h"
#include "process/sigsys.h"

bool ff_borrower_handles(int sig)
{
	struct ff_sigaction act = {
		.handler = ff_loan->fence.stands ? ff_keyed_handler :
						   ff_borrower_on_signal,
		.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | FF_SA_RESTORER,
		.restorer = ff_sigreturn,
		.mask = ff_loan->fence.stands ? ~(ff_sigset)0 : /* H-B5 */
				FF_ALL_BUT_SYNCHRONOUS | FF_SIG(SIGSYS),
	};
	struct ff_sigaction old;

	if (sys(rt_sigaction, sig, &act, &old, sizeof(act.mask)) < 0)
		return false;
	return (void *)old.handler != (void *)SIG_IGN ||
	       sys(rt_sigaction, sig, &old, NULL, sizeof(act.mask)) == 0;
}

bool ff_borrower_is_handler(const void *handler)
{
	return handler == (const void *)ff_borrower_on_signal ||
	       handler == (const void *)ff_keyed_handler;
}

/* H-B2. All signals are blocked. */
static void await_birth(struct ff_loan *loan)
{
	const struct timespec a_while = { 0, 100L * 1000 * 1000 };
	uint32_t seen = FF_LOAN_UNBORN;

	if (atomic_compare_exchange_strong(&loan->birth, &seen,
					   FF_LOAN_AWAITED))
		seen = FF_LOAN_AWAITED;
	while (seen == FF_LOAN_AWAITED) {
		if (sys(futex, &loan->birth, FUTEX_WAIT, seen, &a_while, NULL,
			0) == -ETIMEDOUT &&
		    ff_parent_is_dead(loan->parent))
			break;
		seen = atomic_load(&loan->birth);
	}
	if (seen != FF_LOAN_BORN)
		ff_end();
}

void ff_borrower_gives_back(struct ff_loan *loan)
{
	loan->refused = true;
	ff_end();
}

/* H-V3, as the kernel does it for clone3: of all signals, as one may be handled
 * that was never told of. */
static bool drops_handlers(void)
{
	const struct ff_sigaction none = { .handler = NULL };
	struct ff_sigaction act;
	int sig;

	for (sig = 1; sig <= FF_SIGNALS; sig++)
		if (sys(rt_sigaction, sig, NULL, &act, sizeof(act.mask)) < 0 ||
		    (ff_is_handler(&act) &&
		     sys(rt_sigaction, sig, &none, NULL, sizeof(act.mask)) < 0))
			return false;
	return true;
}

void ff_borrow(void *arg)
{
	struct ff_loan *loan = arg;
	const struct ff_caller caller = loan->caller;
	stack_t ours = { .ss_sp = ff_loan_altstack(loan),
			 .ss_size = FF_LOAN_ALTSTACK_BYTES };
	ff_sigset left = loan->caught;
	bool able;

	await_birth(loan);
	able = (!loan->reserved || ff_headroom_release(&loan->nproc)) &&
	       (!loan->has_handlers || drops_handlers()) &&
	       sys(sigaltstack, &ours, NULL) == 0 &&
	       ff_borrower_handles(SIGSYS) &&
	       !ff_fault(FF_FAULT_SUD_OFF_CHILD) &&
	       (loan->fence.stands ||
		ff_dispatch_by(&loan->dispatches) == 0); /* H-T5 */
	for (; able && left; left &= left - 1)
		able = ff_borrower_handles(__builtin_ctzl(left) + 1);
	if (!able)
		ff_borrower_gives_back(loan);
	if (loan->fence.stands)
		ff_fenced_begin(loan);
	else
		ff_setmask(loan->mask);
	/* The loan is gone if a signal made it a fork. */
	ff_resume(&caller, 0);
}

void ff_own_memory(const char *why)
{
	struct ff_loan *loan = ff_loan;
	int error = errno;

	if (!loan)
		return;
	if (!ff_identity_is_copy(loan->child)) {
		loan->stack_in_use = (uintptr_t)__builtin_frame_address(0);
		ff_become(loan, loan->libc.fork, why);
		ff_restore_altstack(loan, (uintptr_t)&error);
		ff_setmask(loan->own_mask);
	} else {
		/* A fork made by somebody that we did not see. */
		ff_loan = NULL;
		*loan->return_slot = loan->return_address;
	}
	ff_loan_put(loan);
	errno = error;
}

bool ff_is_borrower(void)
{
	return ff_loan != NULL;
}

void ff_leave_fence(const char *why)
{
	if (ff_loan && ff_loan->fence.stands)
		ff_own_memory(why);
}

uintptr_t ff_lent_returned(void)
{
	uintptr_t to = ff_loan->return_address;

	ff_own_memory("returns from the function that called vfork");
	return to;
}

/* H-B3. Raised by the instruction that it stands at, not sent. */
static bool is_fault(int sig, const siginfo_t *info)
{
	return info->si_code > 0 && sig != SIGSYS &&
	       (FF_SIG(sig) & FF_SYNCHRONOUS);
}

/* A fault while it becomes a fork: of a fork handler, or ours. */
static void let_die(int sig)
{
	struct ff_sigaction act = { 0 };

	sys(rt_sigaction, sig, &act, NULL, sizeof(act.mask));
}

/* H-B4 */
static void wait_until_it_is_a_fork(struct ff_loan *loan, int sig,
				    const siginfo_t *info)
{
	if (sig == SIGSYS && (info->si_code == SI_TIMER || loan->stopped_by))
		return;
	loan->arrived |= FF_SIG(sig);
	loan->info[sig - 1] = *info;
}

/* H-B1. Behind the fence no lock was taken that its parent could miss. */
static bool may_leave(const struct ff_loan *loan, const ucontext_t *uc)
{
	const long nr = ff_call_at(uc);

	if (loan->fence.stands)
		return true;
	if (!loan->libc.bare_fork)
		return false;
	return nr < 0 ? ff_call_was_interrupted(uc) :
			ff_call(nr)->waits != FF_WAITS_LOCKS;
}

void ff_borrower_on_signal(int sig, siginfo_t *info, void *context)
{
	struct ff_loan *loan = ff_loan;
	ucontext_t *uc = context;
	bool stopped = sig == SIGSYS && loan->stopped_by, fault;

	/* Behind the fence all are open (ff_keyed_handler). */
	if (!loan->fence.stands)
		ff_keys_as_in(uc);
	if (ff_envoy_was_interrupted(loan, uc))
		ff_envoy_on_signal(loan, sig, info);
	if (loan->why) {
		if (sig == SIGSYS && info->si_code == SYS_USER_DISPATCH)
			ff_become_call(loan, uc, ff_call_number(info));
		else if (info->si_code <= 0)
			wait_until_it_is_a_fork(loan, sig, info);
		else
			let_die(sig);
		return;
	}
	if (loan->fence.stands && ff_fenced_signal(loan, sig, info, uc))
		return;
	fault = is_fault(sig, info);
	if (fault && !loan->libc.bare_fork) {
		let_die(sig);
		return;
	}
	if (!stopped && (!fault || sig == SIGTRAP)) {
		loan->arrived |= FF_SIG(sig);
		loan->info[sig - 1] = *info;
	}
	if (fault)
		ff_become_in_handler(loan, uc, 0, "faults");
	else if (may_leave(loan, uc))
		ff_become_in_handler(loan, uc, stopped ? 0 : sig,
				     stopped ? "was stopped" :
					       "has a signal to take");
	else if (stopped)
		sys(kill, ff_getpid(), loan->stopped_by);
}

void ff_borrower_execs(void)
{
	if (ff_loan && ff_loan->arrived)
		ff_own_memory("has a signal to take");
}

void ff_ids_note(struct ff_ids *ids)
{
	ids->dumpable = sys(prctl, PR_GET_DUMPABLE);
	ids->noted =
		ids->dumpable >= 0 &&
		sys(getresuid, &ids->uid[0], &ids->uid[1], &ids->uid[2]) == 0 &&
		sys(getresgid, &ids->gid[0], &ids->gid[1], &ids->gid[2]) == 0;
}

bool ff_borrower_changes_ids(void)
{
	if (!ff_loan)
		return true;
	if (!ff_loan->ids.noted)
		ff_ids_note(&ff_loan->ids);
	return ff_loan->ids.noted;
}

void ff_borrower_sets_action(int sig, const void *handler)
{
	if (!ff_loan || sig < 1 || sig > FF_SIGNALS)
		return;
	if (ff_borrower_is_handler(handler))
		return; /* it puts back what it was told to be there */
	if (handler != (const void *)SIG_DFL &&
	    handler != (const void *)SIG_IGN) {
		ff_own_memory("handles a signal");
		return;
	}
	if (ff_loan->fence.stands)
		return; /* the call itself says so */
	ff_loan->changed |= FF_SIG(sig);
	ff_loan->arrived &= ~FF_SIG(sig);
}

bool ff_borrower_has_set(int sig)
{
	return ff_loan && sig >= 1 && sig <= FF_SIGNALS &&
	       (ff_loan->changed & FF_SIG(sig));
}

const struct ff_sigaction *ff_borrower_action(int sig, const void *handler,
					      bool own)
{
	const struct ff_sigaction *was;

	if (!ff_loan || sig < 1 || sig > FF_SIGNALS || own ||
	    (!ff_borrower_is_handler(handler) &&
	     handler != (const void *)SIG_DFL &&
	     handler != (const void *)SIG_IGN))
		return NULL;
	ff_ask_state(ff_loan);
	was = &ff_loan->action[sig - 1];
	/* What is ignored stays so; its flags and mask are cleared as well. */
	if (handler == (const void *)SIG_IGN &&
	    (const void *)was->handler != handler)
		return NULL;
	return was;
}

void ff_borrower_tells_altstack(stack_t *stack)
{
	if (!ff_loan || stack->ss_sp != ff_loan_altstack(ff_loan))
		return;
	ff_ask_state(ff_loan);
	*stack = ff_loan->altstack;
}

bool ff_borrower_jumps_out(const void *jmp_buf)
{
	return ff_loan &&
	       ff_jump_target(jmp_buf) > (uintptr_t)ff_loan->return_slot;
}
