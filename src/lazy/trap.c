/*
 * Hazards
 *  H-T2 A SIGSYS or SIGSEGV raised while blocked kills: no mask of the
 *       program's reaches the kernel. Our handlers make only calls that
 *       dispatch lets through; that of SIGSYS may fault.
 *  H-T3 The thread may stand on a tiny stack, or one that is absent in the
 *       child: handlers run on an alternate stack of ours. Where the thread
 *       already is on an alternate stack (a fork from a signal handler), it
 *       can't be changed: real fork.
 *  H-T8 The kernel starts a handler with a register that opens the common
 *       protection key alone. What a handler of ours does, it does for the
 *       program: with the program's register, which calls may change. Where
 *       that closes what is ours, or the thread's control block has a key, in
 *       which each handler finds its variables, the call is the program's.
 */
#include "lazy/trap.h"

#include <errno.h>
#include <stddef.h>

#include "arch/arch.h"
#include "calls/calls.h"
#include "host/fault.h"
#include "host/sandbox.h"
#include "host/sys.h"
#include "lazy/child/calls.h"
#include "lazy/parent/clone.h"
#include "process/sends.h"
#include "process/sigsys.h"
#include "process/stance.h"

static void expect_nothing(struct ff_slot *slot)
{
	if (slot->expects)
		ff_sigsys_came();
	slot->expects = false;
}

/* Behind the clone no call is dispatched any more. Before it, what is sent to a
 * thread that blocks SIGSYS could not be told from what is sent to them all. */
static void call_of_parent(struct ff_slot *slot, ucontext_t *uc, long nr,
			   bool as_program)
{
	if (ff_call(nr)->in_fork == FF_FORK_CLONE)
		expect_nothing(slot);
	ff_parent_call(slot, uc, nr, as_program);
}

/* H-T8 */
static void call(struct ff_slot *slot, ucontext_t *uc, long nr)
{
	const bool as_program = ff_keys_as_in(uc);

	if (ff_mediated)
		ff_child_call(uc, nr, as_program);
	else
		call_of_parent(slot, uc, nr, as_program);
	if (as_program)
		ff_keys_into(uc);
}

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	struct ff_slot *slot = ff_current;

	if (info->si_code == SYS_USER_DISPATCH) {
		call(slot, uc, ff_call_number(info));
		return;
	}
	if (ff_mediated) {
		ff_keys_as_in(uc);
		ff_child_foreign(uc, info);
		return;
	}
	/* Sent by somebody while ours was installed: it is the program's. */
	(void)sig;
	if (slot && slot->armed)
		ff_parent_signal(slot, uc);
	ff_sigsys_pass_on(uc, info);
}

void ff_trap_again(void)
{
	struct ff_sigaction ignored;

	ff_handle(SIGSYS, on_sigsys, &ignored);
}

static const char *arm(struct ff_slot *slot)
{
	stack_t ours = { .ss_sp = ff_house_of(slot)->altstack,
			 .ss_size = FF_ALTSTACK_BYTES };
	const char *why = ff_dispatch_why_not();

	if (why)
		return why;
	if (!ff_has_common_key((const void *)ff_thread_pointer())) /* H-T8 */
		return "a thread's control block has a protection key";
	/* Blocked by the program; we could not let them in. Or it came now. */
	if (ff_pending() & FF_NEEDED)
		return "SIGSYS or SIGSEGV is pending";
	if (sys(sigaltstack, &ours, &slot->stack) < 0)
		return "on an alternate signal stack";
	if (ff_sigsys_take(on_sigsys, slot->filtered, slot->alone) < 0) {
		sys(sigaltstack, &slot->stack, NULL);
		return "SIGSYS is handled by the program";
	}
	ff_current = slot;
	slot->armed = true;
	slot->expects = ff_sigsys_expect();
	if (!slot->expects)
		why = "another thread sends SIGSYS";
	else if (!ff_fault(FF_FAULT_SUD_OFF) && ff_dispatch(true) == 0)
		return NULL;
	ff_untrap(slot);
	ff_current = NULL;
	sys(sigaltstack, &slot->stack, NULL);
	if (!why)
		why = ff_dispatch_why_not();
	return why ? why : "syscall user dispatch can't be switched on";
}

const char *ff_arm(struct ff_slot *slot, ff_sigset mask)
{
	const ff_sigset before = ff_block_sigsys();
	const char *why;

	slot->mask = slot->mask_at_fork = mask;
	slot->ret_mask = NULL;
	why = arm(slot);
	/* A SIGSYS for the program may come right now, and be taken first: never
	 * where it would find our stack and not our handler. SIGSEGV is needed in
	 * the child alone. */
	ff_setmask(why ? before : ff_our_mask(mask) | (mask & FF_SIG(SIGSEGV)));
	return why;
}

void ff_untrap(struct ff_slot *slot)
{
	if (!slot->armed)
		return;
	ff_dispatch(false);
	slot->armed = false;
	expect_nothing(slot);
	ff_sigsys_give();
}

void ff_disarm(struct ff_slot *slot)
{
	const ff_sigset before = ff_block_sigsys();

	ff_untrap(slot);
	ff_current = NULL;
	sys(sigaltstack, &slot->stack, NULL);
	ff_setmask(before);
	ff_flight_end();
}

void ff_disarm_in_handler(struct ff_slot *slot, ucontext_t *uc)
{
	ff_untrap(slot);
	ff_current = NULL;
	/* The return from the handler would not change it: it is still on
	 * the alternate stack when the kernel looks (H-T3). */
	uc->uc_stack = slot->stack;
	ff_sigaltstack_from(&slot->stack, ff_stack_pointer(uc));
	*(ff_sigset *)&uc->uc_sigmask = slot->mask;
	ff_flight_end();
}
