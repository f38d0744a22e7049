/*
 * Hazards
 *  H-T1 The SIGSYS action is process-wide. It is ours only while a thread is
 *       armed. What comes then for a handler of the program's is passed on to it
 *       (H-T4), after which a call goes on as it would have, and on the stack
 *       on which it would have been: so not where that wants no alternate one
 *       and another thread may have one. And not under a filter, which may
 *       raise SIGSYS for calls that the child makes from our handler.
 *  H-T5 From Linux 7.3 on an administrator may forbid dispatch at any time
 *       (kernel.syscall_user_dispatch): to switch it on says EPERM then, while
 *       what is on stays on, and can be switched off. Each switching on has a
 *       way back: the parent's is a real fork, that of a lazy child undoes it,
 *       and who borrows memory switches it on at birth, with a byte that lets
 *       all calls through until it becomes a fork.
 */
#include "process/sigsys.h"

#include <errno.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "arch/arch.h"
#include "arch/hot.h"
#include "host/fault.h"
#include "host/newborn.h"
#include "host/spin.h"
#include "host/sys.h"

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

/* A handler that came to who has the lock would wait for itself. */
static ff_sigset lock(void)
{
	const ff_sigset old = ff_block_sigsys();

	ff_spin_lock(&sigsys.lock);
	return old;
}

static void unlock(ff_sigset old)
{
	ff_spin_unlock(&sigsys.lock);
	ff_setmask(old);
}

static _Atomic enum {
	NOT_ASKED,
	POSSIBLE,
	FORBIDDEN, /* H-T5; it may be allowed again */
	NEVER
} dispatch FF_HOT;

int ff_dispatch_by(const volatile char *selector)
{
	int possible = POSSIBLE, rc;

	rc = (int)sys(prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON,
		      ff_sys_begin, ff_sys_end - ff_sys_begin, selector);
	if (rc == -EPERM)
		atomic_compare_exchange_strong(&dispatch, &possible, FORBIDDEN);
	return rc;
}

int ff_dispatch(bool on)
{
	return on ? ff_dispatch_by(NULL) :
		    (int)sys(prctl, PR_SET_SYSCALL_USER_DISPATCH,
			     PR_SYS_DISPATCH_OFF, NULL, 0, NULL);
}

/* Can it be switched on? With a selector that lets all calls through nothing
 * comes of it. */
static int ask_kernel(void)
{
	const char let_all = 0; /* SYSCALL_DISPATCH_FILTER_ALLOW */
	long rc;

	if (ff_fault(FF_FAULT_NO_SUD))
		return NEVER;
	rc = sys(prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0,
		 &let_all);
	if (rc < 0)
		return rc == -EPERM ? FORBIDDEN : NEVER;
	ff_dispatch(false);
	return POSSIBLE;
}

const char *ff_dispatch_why_not(void)
{
	int seen = atomic_load(&dispatch);

	if (seen == NOT_ASKED || seen == FORBIDDEN) {
		atomic_compare_exchange_strong(&dispatch, &seen, ask_kernel());
		seen = atomic_load(&dispatch);
	}
	return seen == POSSIBLE	 ? NULL :
	       seen == FORBIDDEN ? "syscall user dispatch is forbidden "
				   "(kernel.syscall_user_dispatch)" :
				   "no syscall user dispatch";
}

void ff_dispatch_is_programs(void)
{
	atomic_store(&dispatch, NEVER);
}

static int handle(int sig, void (*handler)(int, siginfo_t *, void *),
		  unsigned long flags, struct ff_sigaction *ret_old)
{
	struct ff_sigaction act = {
		.handler = handler,
		.flags = SA_SIGINFO | SA_ONSTACK | FF_SA_RESTORER | flags,
		.restorer = ff_sigreturn,
		.mask = ~FF_SIG(SIGSEGV),
	};

	return (int)sys(rt_sigaction, sig, &act, ret_old, sizeof(act.mask));
}

int ff_handle(int sig, void (*handler)(int, siginfo_t *, void *),
	      struct ff_sigaction *ret_old)
{
	return handle(sig, handler, 0, ret_old);
}

/* A handler that only returns (ruby installs one) serves nobody's dispatch
 * and misses nothing in the meantime. */
static bool somebody_handles(const struct ff_sigaction *act)
{
	return ff_is_handler(act) &&
	       !ff_is_empty_function((const void *)act->handler);
}

bool ff_sigsys_is_handled(void)
{
	struct ff_sigaction act;
	const ff_sigset mask = lock();
	bool is_handled;

	act = sigsys.old;
	is_handled = (sigsys.users || sys(rt_sigaction, SIGSYS, NULL, &act,
					  sizeof(ff_sigset)) == 0) &&
		     somebody_handles(&act);
	unlock(mask);
	return is_handled;
}

/* H-T1 */
static bool is_in_the_way(const struct ff_sigaction *act, bool filtered,
			  bool alone)
{
	return somebody_handles(act) &&
	       (filtered || (!alone && !(act->flags & SA_ONSTACK)));
}

int ff_sigsys_take(void (*handler)(int, siginfo_t *, void *), bool filtered,
		   bool alone)
{
	const ff_sigset mask = lock();
	int rc = 0;

	if (sigsys.users == 0)
		rc = (int)sys(rt_sigaction, SIGSYS, NULL, &sigsys.old,
			      sizeof(ff_sigset));
	if (rc == 0 && is_in_the_way(&sigsys.old, filtered, alone))
		rc = -EBUSY;
	if (rc == 0 && sigsys.users == 0)
		rc = handle(SIGSYS, handler,
			    ff_is_handler(&sigsys.old) ?
				    sigsys.old.flags & SA_RESTART :
				    0,
			    &sigsys.old);
	if (rc == 0)
		sigsys.users++;
	unlock(mask);
	return rc;
}

void ff_sigsys_give(void)
{
	const ff_sigset mask = lock();

	if (--sigsys.users == 0)
		sys(rt_sigaction, SIGSYS, &sigsys.old, NULL, sizeof(ff_sigset));
	unlock(mask);
}

/* To whom it was sent: this thread, or any that does not block it. */
static void send_again(siginfo_t *info, bool blocked)
{
	if (blocked && info->si_code != SI_TKILL)
		sys(rt_sigqueueinfo, ff_getpid(), SIGSYS, info);
	else
		sys(rt_tgsigqueueinfo, ff_getpid(), ff_gettid(), SIGSYS, info);
}

/*
 * H-T4 The action can't be given back while another thread is armed: what
 *      dispatch raises there would come to the program's handler, and the call
 *      never be made (fork() said 56, the number of clone).
 * H-T6 Dispatch needs SIGSYS unblocked. What comes to a thread by that alone is
 *      for another one, or waits.
 */
void ff_sigsys_pass_on(ucontext_t *uc, siginfo_t *info)
{
	const ff_sigset mask = *(ff_sigset *)&uc->uc_sigmask;
	const bool blocked = (mask & FF_SIG(SIGSYS)) != 0;
	struct ff_sigaction act;
	bool ours;

	ff_spin_lock(&sigsys.lock);
	ours = sigsys.users > 0;
	act = sigsys.old;
	if (ours && !blocked && ff_is_handler(&act) &&
	    (act.flags & SA_RESETHAND))
		sigsys.old.handler = NULL; /* SIG_DFL */
	ff_spin_unlock(&sigsys.lock);
	if (ours && !blocked && ff_is_handler(&act)) {
		ff_setmask(mask | act.mask |
			   (act.flags & SA_NODEFER ? 0 : FF_SIG(SIGSYS)));
		act.handler(SIGSYS, info, uc);
		return;
	}
	if (!blocked && (void *)act.handler == (void *)SIG_IGN)
		return;
	/* The default ends the process. */
	if (ours && !blocked)
		sys(rt_sigaction, SIGSYS, &act, NULL, sizeof(ff_sigset));
	send_again(info, blocked);
}

struct ff_sigaction *ff_sigsys_begin(ff_sigset *ret_mask)
{
	*ret_mask = ff_block_with_sigsys();
	lock();
	return sigsys.users ? &sigsys.old : NULL;
}

void ff_sigsys_end(ff_sigset mask)
{
	unlock(mask);
}

const struct ff_sigaction *ff_sigsys_of_program(void)
{
	return &sigsys.old;
}

static void reset(void)
{
	sigsys.lock.word = 0;
	if (sigsys.users)
		sys(rt_sigaction, SIGSYS, &sigsys.old, NULL, sizeof(ff_sigset));
	sigsys.users = 0;
}
FF_IN_NEW_PROCESS_BY_CALLS(reset);
