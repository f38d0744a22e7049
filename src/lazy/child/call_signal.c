/*
 * Calls on signals. While the child is ours every signal but page faults and
 * dispatch is blocked; the program's mask, alternate stack and its actions
 * for SIGSEGV and SIGSYS are kept in memory (H-C2, H-M2).
 *
 * H-M6 What is answered from memory is written by us, and only the kernel knows
 *      whether it may be: it writes its own answer first, and ours goes over
 *      that. A call that fails writes nothing.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "arch/arch.h"
#include "host/sys.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"
#include "lazy/child/pager.h"
#include "lazy/child/raised.h"
#include "process/stance.h"

static void note_handler(long sig, uintptr_t new)
{
	const struct ff_sigaction *act = (const struct ff_sigaction *)new;

	if (new &&ff_fetch(new, sizeof(*act)) == 0 &&
	    ff_is_readable(new, sizeof(*act)) && ff_is_handler(act))
		ff_exec_note_handler((int)sig, act->mask);
}

/* H-M9; a child that has left has none of ours. */
static void pass_action(ucontext_t *uc, long nr, long sig)
{
	const bool raised = ff_is_raised((int)sig);

	if (raised)
		ff_raised_give((int)sig);
	ff_pass(uc, nr, "-pp-");
	if (raised && ff_mediated && ff_raised_take((int)sig) < 0)
		ff_child_leave(uc, FF_REASON_CALL, -1);
}

void ff_look_rt_sigaction(ucontext_t *uc, long nr)
{
	long sig = (int)ff_arg(uc, 0);
	uintptr_t new = (uintptr_t)ff_arg(uc, 1);
	uintptr_t old = (uintptr_t)ff_arg(uc, 2);
	struct ff_sigaction *kept =
		sig == SIGSEGV ? &ff_child.segv : &ff_child.sys;
	struct ff_sigaction was = *kept, now = was;

	if (sig != SIGSEGV && sig != SIGSYS) {
		note_handler(sig, new);
		pass_action(uc, nr, sig);
		return;
	}
	if (!ff_serve(uc, nr, "-pp-"))
		return;
	if (ff_arg(uc, 3) != (long)sizeof(ff_sigset)) {
		ff_answer(uc, -EINVAL);
		return;
	}
	if (new && !ff_is_readable(new, sizeof(now))) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	if (new)
		memcpy(&now, (const void *)new, sizeof(now));
	if (!ff_normalize_action(&now)) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	if (old && sys(rt_sigaction, sig, NULL, old, sizeof(ff_sigset)) < 0) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	*kept = now;
	if (old)
		memcpy((void *)old, &was, sizeof(was));
	ff_answer(uc, 0);
}

void ff_look_rt_sigprocmask(ucontext_t *uc, long nr)
{
	uintptr_t set = (uintptr_t)ff_arg(uc, 1);
	uintptr_t old = (uintptr_t)ff_arg(uc, 2);
	ff_sigset was = ff_child.mask, now = was;
	long rc;

	if (!ff_serve(uc, nr, "-pp-"))
		return;
	if (set && !ff_is_readable(set, sizeof(ff_sigset))) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	rc = ff_change_mask(&now, ff_arg(uc, 0), (const ff_sigset *)set, NULL,
			    ff_arg(uc, 3));
	if (rc < 0) {
		ff_answer(uc, rc);
		return;
	}
	if (old && sys(rt_sigprocmask, SIG_BLOCK, NULL, old, sizeof(was)) < 0) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	if ((was & ~now) && ff_signal_waits(now)) {
		/* The program takes it now. Whoever repeats the call, a new
		 * child or this one on its own, starts from the old mask. */
		ff_child_leave(uc, FF_REASON_SIGNAL, nr);
		return;
	}
	ff_child.mask = now;
	if (old)
		memcpy((void *)old, &was, sizeof(was));
	*(ff_sigset *)&uc->uc_sigmask = ff_our_mask(now);
	ff_answer(uc, 0);
}

/*
 * A handler of the program returns: the frame was built before the fork (a
 * fork from a handler), or by a signal that came in just before exec. What
 * it would restore of the mask and the alternate stack is kept in memory.
 */
void ff_look_rt_sigreturn(ucontext_t *uc, long nr)
{
	ucontext_t *frame = (ucontext_t *)ff_stack_pointer(uc);

	if (ff_thread_runs()) { /* it had no signal */
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	if (ff_fetch((uintptr_t)frame, sizeof(*frame)) < 0) {
		ff_child_leave(uc, FF_REASON_MEMORY, nr);
		return;
	}
	ff_child.mask = *(ff_sigset *)&frame->uc_sigmask & ~FF_UNBLOCKABLE;
	ff_child.stack = frame->uc_stack;
	if (ff_signal_waits(ff_child.mask)) {
		ff_child_leave(uc, FF_REASON_SIGNAL, nr);
		return;
	}
	*(ff_sigset *)&frame->uc_sigmask = ff_our_mask(ff_child.mask);
	frame->uc_stack = uc->uc_stack;
	ff_jump(uc, ff_sigreturn);
}

/* What the program ignores but we block stays pending; elsewhere it would have
 * been dropped, and what else is not blocked, taken. */
void ff_look_rt_sigpending(ucontext_t *uc, long nr)
{
	unsigned char *set = (unsigned char *)ff_arg(uc, 0);
	const unsigned char *mask = (const unsigned char *)&ff_child.mask;
	long i, rc;

	if (!ff_serve(uc, nr, "p-"))
		return;
	rc = ff_make(uc, nr);
	if (rc == -EFAULT) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	for (i = 0; rc == 0 && i < ff_arg(uc, 1); i++)
		set[i] &= mask[i];
	ff_answer(uc, rc);
}

/* The kernel tells who stands on his stack, and lets him not change it. */
static bool stands_on(const stack_t *stack, uintptr_t sp)
{
	const uintptr_t low = (uintptr_t)stack->ss_sp;

	return !(stack->ss_flags & SS_DISABLE) && sp > low &&
	       sp - low <= stack->ss_size;
}

void ff_look_sigaltstack(ucontext_t *uc, long nr)
{
	uintptr_t new = (uintptr_t)ff_arg(uc, 0);
	uintptr_t old = (uintptr_t)ff_arg(uc, 1);
	stack_t was = ff_child.stack, now = was;

	if (!ff_serve(uc, nr, "pp"))
		return;
	if (stands_on(&was, ff_stack_pointer(uc)) ||
	    (new && !ff_is_readable(new, sizeof(now)))) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	if (new)
		memcpy(&now, (const void *)new, sizeof(now));
	/* Only what is plain; the kernel knows the rest. */
	if (new &&now.ss_flags == SS_DISABLE) {
		now = (stack_t){ .ss_flags = SS_DISABLE };
	} else if (new && (now.ss_flags || now.ss_size < 8192)) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	if (old && sys(sigaltstack, NULL, old) < 0) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	ff_child.stack = now;
	if (old)
		memcpy((void *)old, &was, sizeof(was));
	ff_answer(uc, 0);
}

void ff_look_kill(ucontext_t *uc, long nr)
{
	if (ff_arg(uc, 1) == 0)
		ff_pass(uc, nr, "");
	else
		ff_child_leave(uc, FF_REASON_CALL, nr);
}
