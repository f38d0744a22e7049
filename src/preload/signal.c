/*
 * SIGSYS is ours for the moments between arming and the clone. A thread that
 * asks for it then, or sets it, deals with what the program will get back.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "arch/arch.h"
#include "host/sandbox.h"
#include "host/signals.h"
#include "lazy/child/exec.h"
#include "lazy/slot.h"
#include "lend/child/borrower.h"
#include "lend/loan.h"
#include "lend/parent/ground.h"
#include "libc/threads.h"
#include "preload/next.h"
#include "preload/preload.h"
#include "process/sigsys.h"
#include "process/stance.h"
#include "tell/options.h"

int __sigaction(int sig, const struct sigaction *act, struct sigaction *old);

static void to_kernel(const struct sigaction *from, struct ff_sigaction *to)
{
	memset(to, 0, sizeof(*to));
	to->handler = from->sa_sigaction;
	to->flags = (unsigned long)from->sa_flags;
	memcpy(&to->mask, &from->sa_mask, sizeof(to->mask));
	/* The kernel needs one, as libc knows. */
	to->flags |= FF_SA_RESTORER;
	to->restorer = ff_sigreturn;
	ff_normalize_action(to);
}

static void from_kernel(const struct ff_sigaction *from, struct sigaction *to)
{
	memset(to, 0, sizeof(*to));
	to->sa_sigaction = from->handler;
	to->sa_flags = (int)from->flags;
	memcpy(&to->sa_mask, &from->mask, sizeof(from->mask));
	to->sa_restorer = from->restorer;
}

typedef int (*sigaction_function)(int, const struct sigaction *,
				  struct sigaction *);

static int change_sigsys(sigaction_function next, const struct sigaction *act,
			 struct sigaction *old)
{
	struct ff_sigaction *kept, was;
	ff_sigset mask;
	int rc = 0;

	kept = ff_sigsys_begin(&mask);
	if (kept) {
		was = *kept;
		if (act)
			to_kernel(act, kept);
		if (old)
			from_kernel(&was, old);
	} else {
		rc = next(SIGSYS, act, old);
	}
	ff_sigsys_end(mask);
	return rc;
}

/* Without threads it can only be a fork handler that meets ours. A borrower
 * has dispositions of its own. */
static bool concerns_us(int sig)
{
	return sig == SIGSYS && !ff_loan && ff_is_on() &&
	       !atomic_load(&ff_sandboxed) &&
	       (ff_may_have_threads() || ff_current);
}

/* A change by the program; a child of its vfork has said so before. */
static int note(int sig, int rc, bool handled)
{
	if (rc == 0 && !ff_loan)
		ff_lend_note_action(sig, handled);
	return rc;
}

/* What a borrower is told of a disposition that is ours there. */
static void tell_programs(int sig, struct sigaction *old, bool own)
{
	const struct ff_sigaction *was =
		ff_borrower_action(sig, (void *)old->sa_handler, own);

	if (was)
		from_kernel(was, old);
}

static bool is_handler(const struct sigaction *act)
{
	return act->sa_handler != SIG_DFL && act->sa_handler != SIG_IGN;
}

/* What a handler blocks matters when a lazy child execs. */
static void note_handler(int sig, const struct sigaction *act)
{
	ff_sigset mask;

	if (!act || !is_handler(act) || ff_loan)
		return;
	memcpy(&mask, &act->sa_mask, sizeof(mask));
	ff_exec_note_handler(sig, mask);
}

FF_EXPORT int sigaction(int sig, const struct sigaction *act,
			struct sigaction *old)
{
	const bool own = ff_borrower_has_set(sig);
	int rc;

	if (concerns_us(sig))
		return change_sigsys(FF_NEXT(sigaction), act, old);
	note_handler(sig, act);
	if (act)
		ff_borrower_sets_action(sig, (void *)act->sa_handler);
	rc = FF_NEXT(sigaction)(sig, act, old);
	if (rc == 0 && old)
		tell_programs(sig, old, own);
	return act ? note(sig, rc, is_handler(act)) : rc;
}

FF_EXPORT int __sigaction(int sig, const struct sigaction *act,
			  struct sigaction *old)
{
	const bool own = ff_borrower_has_set(sig);
	int rc;

	if (concerns_us(sig))
		return change_sigsys(FF_NEXT(__sigaction), act, old);
	note_handler(sig, act);
	if (act)
		ff_borrower_sets_action(sig, (void *)act->sa_handler);
	rc = FF_NEXT(__sigaction)(sig, act, old);
	if (rc == 0 && old)
		tell_programs(sig, old, own);
	return act ? note(sig, rc, is_handler(act)) : rc;
}

FF_EXPORT sighandler_t signal(int sig, sighandler_t handler)
{
	struct sigaction act = { .sa_handler = handler,
				 .sa_flags = SA_RESTART };
	const bool own = ff_borrower_has_set(sig);
	struct sigaction old;

	if (!concerns_us(sig)) {
		ff_borrower_sets_action(sig, (void *)handler);
		old.sa_handler = FF_NEXT(signal)(sig, handler);
		if (old.sa_handler == SIG_ERR)
			return SIG_ERR;
		tell_programs(sig, &old, own);
		note(sig, 0, is_handler(&act));
		return old.sa_handler;
	}
	sigaddset(&act.sa_mask, sig);
	if (change_sigsys(FF_NEXT(sigaction), &act, &old) < 0)
		return SIG_ERR;
	return old.sa_handler;
}

FF_EXPORT int sigaltstack(const stack_t *restrict stack, stack_t *restrict old)
{
	int rc = FF_NEXT(sigaltstack)(stack, old);

	if (rc == 0 && old)
		ff_borrower_tells_altstack(old);
	return rc;
}
