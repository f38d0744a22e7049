/*
 * Hazards
 *  H-T1 The SIGSYS action is process-wide. It is ours only while a thread is
 *       armed, and never where somebody else handles it.
 *  H-T2 A SIGSYS or SIGSEGV raised while blocked kills: no mask of the
 *       program's reaches the kernel. Our handlers make only calls that
 *       dispatch lets through; that of SIGSYS may fault.
 *  H-T3 The thread may stand on a tiny stack, or one that is absent in the
 *       child: handlers run on an alternate stack of ours. Where the thread
 *       already is on an alternate stack (a fork from a signal handler), it
 *       can't be changed: real fork.
 */
#include "process/trap.h"

#include <errno.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "arch/arch.h"
#include "arch/hot.h"
#include "calls/calls.h"
#include "host/fault.h"
#include "host/sandbox.h"
#include "host/spin.h"
#include "host/sys.h"
#include "lazy/child/child.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_OFF 0
#define PR_SYS_DISPATCH_ON 1
#endif

/* How many threads are armed, and what SIGSYS was before the first. */
static struct {
	struct ff_spin lock;
	unsigned users;
	struct ff_sigaction old;
} sigsys FF_HOT;

int ff_dispatch(bool on)
{
	return (int)sys(prctl, PR_SET_SYSCALL_USER_DISPATCH,
			on ? PR_SYS_DISPATCH_ON : PR_SYS_DISPATCH_OFF,
			on ? ff_sys_begin : NULL,
			on ? ff_sys_end - ff_sys_begin : 0, NULL);
}

/* Can it be switched on? From Linux 7.3 on an administrator may forbid that
 * (kernel.syscall_user_dispatch), not switching it off. With a selector that
 * lets all calls through nothing comes of it. */
static bool can_dispatch(void)
{
	const char let_all = 0; /* SYSCALL_DISPATCH_FILTER_ALLOW */

	if (sys(prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0,
		&let_all) < 0)
		return false;
	ff_dispatch(false);
	return true;
}

static _Atomic enum {
	NOT_ASKED,
	POSSIBLE,
	NEVER
} dispatch FF_HOT;

bool ff_dispatch_possible(void)
{
	int unknown = NOT_ASKED;

	if (atomic_load(&dispatch) == NOT_ASKED)
		atomic_compare_exchange_strong(&dispatch, &unknown,
					       ff_fault(FF_FAULT_NO_SUD) ||
							       !can_dispatch() ?
						       NEVER :
						       POSSIBLE);
	return atomic_load(&dispatch) == POSSIBLE;
}

void ff_dispatch_is_programs(void)
{
	atomic_store(&dispatch, NEVER);
}

int ff_handle(int sig, void (*handler)(int, siginfo_t *, void *),
	      struct ff_sigaction *ret_old)
{
	struct ff_sigaction act = {
		.handler = handler,
		.flags = SA_SIGINFO | SA_ONSTACK | FF_SA_RESTORER,
		.restorer = ff_sigreturn,
		.mask = ~FF_SIG(SIGSEGV),
	};

	return (int)sys(rt_sigaction, sig, &act, ret_old, sizeof(act.mask));
}

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	struct ff_slot *slot = ff_current;

	if (info->si_code == SYS_USER_DISPATCH) {
		if (ff_child.active)
			ff_child_call(uc, ff_call_number(info));
		else
			ff_parent_call(slot, uc, ff_call_number(info));
		return;
	}
	if (ff_child.active) {
		ff_child_foreign(uc, info);
		return;
	}
	/* Sent by somebody while ours was installed: it is the program's.
	 * Give the action back early and let it come again. */
	sys(rt_sigaction, sig, &sigsys.old, NULL, sizeof(ff_sigset));
	if (slot && slot->armed)
		ff_disarm_in_handler(slot, uc);
	sys(rt_tgsigqueueinfo, ff_getpid(), ff_gettid(), sig, info);
}

/* A handler that only returns (ruby installs one) serves nobody's dispatch
 * and misses nothing in the meantime. */
static bool somebody_handles(const struct ff_sigaction *act)
{
	return ff_is_handler(act) &&
	       !ff_is_empty_function((const void *)act->handler);
}

/* 0, or -EBUSY: SIGSYS is somebody's. */
static int take_sigsys(void)
{
	int rc = 0;

	ff_spin_lock(&sigsys.lock);
	if (sigsys.users == 0) {
		rc = (int)sys(rt_sigaction, SIGSYS, NULL, &sigsys.old,
			      sizeof(ff_sigset));
		if (rc == 0)
			rc = somebody_handles(&sigsys.old) ?
				     -EBUSY :
				     ff_handle(SIGSYS, on_sigsys, &sigsys.old);
	}
	if (rc == 0)
		sigsys.users++;
	ff_spin_unlock(&sigsys.lock);
	return rc;
}

static void give_sigsys(void)
{
	ff_spin_lock(&sigsys.lock);
	if (--sigsys.users == 0)
		sys(rt_sigaction, SIGSYS, &sigsys.old, NULL, sizeof(ff_sigset));
	ff_spin_unlock(&sigsys.lock);
}

struct ff_sigaction *ff_sigsys_begin(ff_sigset *ret_mask)
{
	*ret_mask = ff_block_signals();
	ff_spin_lock(&sigsys.lock);
	return sigsys.users ? &sigsys.old : NULL;
}

void ff_sigsys_end(ff_sigset mask)
{
	ff_spin_unlock(&sigsys.lock);
	ff_setmask(mask);
}

const struct ff_sigaction *ff_program_sigsys(void)
{
	return &sigsys.old;
}

void ff_trap_again(void)
{
	struct ff_sigaction ignored;

	ff_handle(SIGSYS, on_sigsys, &ignored);
}

void ff_trap_reset(void)
{
	sigsys.lock.word = 0;
	if (sigsys.users)
		sys(rt_sigaction, SIGSYS, &sigsys.old, NULL, sizeof(ff_sigset));
	sigsys.users = 0;
}

const char *ff_arm(struct ff_slot *slot, ff_sigset mask)
{
	stack_t ours = { .ss_sp = ff_house_of(slot)->altstack,
			 .ss_size = FF_ALTSTACK_BYTES };

	slot->mask = slot->mask_at_fork = mask;
	slot->ret_mask = NULL;
	if (!ff_dispatch_possible())
		return "no syscall user dispatch";
	/* Blocked by the program; we could not let them in. */
	if (ff_pending() & FF_NEEDED)
		return "SIGSYS or SIGSEGV is pending";
	ff_setmask(ff_our_mask(mask));
	if (sys(sigaltstack, &ours, &slot->stack) < 0)
		return "on an alternate signal stack";
	if (take_sigsys() < 0) {
		sys(sigaltstack, &slot->stack, NULL);
		return "SIGSYS is handled by the program";
	}
	ff_current = slot;
	slot->armed = true;
	if (ff_dispatch(true) == 0)
		return NULL;
	ff_untrap(slot);
	ff_current = NULL;
	sys(sigaltstack, &slot->stack, NULL);
	return "no syscall user dispatch";
}

void ff_untrap(struct ff_slot *slot)
{
	if (!slot->armed)
		return;
	ff_dispatch(false);
	slot->armed = false;
	give_sigsys();
}

void ff_disarm(struct ff_slot *slot)
{
	ff_untrap(slot);
	ff_current = NULL;
	sys(sigaltstack, &slot->stack, NULL);
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
