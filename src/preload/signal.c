/*
 * SIGSYS is ours for the moments between arming and the clone. A thread that
 * asks for it then, or sets it, deals with what the program will get back.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "arch/arch.h"
#include "host/sandbox.h"
#include "host/signals.h"
#include "host/sys.h"
#include "lazy/child/exec.h"
#include "lazy/slot.h"
#include "lend/child/borrower.h"
#include "lend/loan.h"
#include "lend/parent/ground.h"
#include "libc/threads.h"
#include "preload/next.h"
#include "preload/preload.h"
#include "process/handed.h"
#include "process/sigsys.h"
#include "process/stance.h"
#include "tell/options.h"

int __sigaction(int sig, const struct sigaction *act, struct sigaction *old);
sighandler_t bsd_signal(int sig, sighandler_t handler);

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
	return sig == SIGSYS && !ff_loan && ff_in_force() &&
	       (ff_may_have_threads() || ff_current);
}

/* A change that the program is about to make. */
static void begin_change(int sig, void *handler)
{
	if (sig == SIGCHLD && !ff_loan && ff_in_force())
		ff_handed_hear();
	ff_borrower_sets_action(sig, handler);
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

static int set_action(sigaction_function next, int sig,
		      const struct sigaction *act, struct sigaction *old)
{
	const bool own = ff_borrower_has_set(sig);
	int rc;

	if (concerns_us(sig))
		return change_sigsys(next, act, old);
	note_handler(sig, act);
	if (act)
		begin_change(sig, (void *)act->sa_handler);
	rc = next(sig, act, old);
	if (rc == 0 && old)
		tell_programs(sig, old, own);
	return act ? note(sig, rc, is_handler(act)) : rc;
}

FF_EXPORT int sigaction(int sig, const struct sigaction *act,
			struct sigaction *old)
{
	return set_action(FF_NEXT(sigaction), sig, act, old);
}

FF_EXPORT int __sigaction(int sig, const struct sigaction *act,
			  struct sigaction *old)
{
	return set_action(FF_NEXT(__sigaction), sig, act, old);
}

typedef sighandler_t (*signal_function)(int, sighandler_t);

/* @how: what the name adds to the handler. */
static sighandler_t set_handler(signal_function next, int sig,
				sighandler_t handler, struct sigaction how)
{
	const bool own = ff_borrower_has_set(sig);
	struct sigaction old;

	how.sa_handler = handler;
	if (concerns_us(sig))
		return change_sigsys(FF_NEXT(sigaction), &how, &old) < 0 ?
			       SIG_ERR :
			       old.sa_handler;
	begin_change(sig, (void *)handler);
	old.sa_handler = next(sig, handler);
	if (old.sa_handler == SIG_ERR)
		return SIG_ERR;
	tell_programs(sig, &old, own);
	note(sig, 0, is_handler(&how));
	return old.sa_handler;
}

static struct sigaction as_of_bsd(int sig)
{
	struct sigaction how = { .sa_flags = SA_RESTART };

	sigaddset(&how.sa_mask, sig);
	return how;
}

static struct sigaction as_of_system_v(void)
{
	return (struct sigaction){ .sa_flags = SA_RESETHAND | SA_NODEFER };
}

FF_EXPORT sighandler_t signal(int sig, sighandler_t handler)
{
	return set_handler(FF_NEXT(signal), sig, handler, as_of_bsd(sig));
}

FF_EXPORT sighandler_t bsd_signal(int sig, sighandler_t handler)
{
	return set_handler(FF_NEXT(bsd_signal), sig, handler, as_of_bsd(sig));
}

FF_EXPORT sighandler_t ssignal(int sig, sighandler_t handler)
{
	return set_handler(FF_NEXT(ssignal), sig, handler, as_of_bsd(sig));
}

FF_EXPORT sighandler_t sysv_signal(int sig, sighandler_t handler)
{
	return set_handler(FF_NEXT(sysv_signal), sig, handler,
			   as_of_system_v());
}

FF_EXPORT sighandler_t __sysv_signal(int sig, sighandler_t handler)
{
	return set_handler(FF_NEXT(__sysv_signal), sig, handler,
			   as_of_system_v());
}

/* Deprecated, and called all the same. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

FF_EXPORT int sigignore(int sig)
{
	struct sigaction ignored = { .sa_handler = SIG_IGN };
	int rc;

	if (concerns_us(sig))
		return change_sigsys(FF_NEXT(sigaction), &ignored, NULL);
	begin_change(sig, (void *)SIG_IGN);
	rc = FF_NEXT(sigignore)(sig);
	return note(sig, rc, false);
}

/* Its own words: SIG_HOLD for "blocked", which is no disposition. */
static sighandler_t set_sigsys(sighandler_t handler)
{
	const bool holds = handler == SIG_HOLD;
	struct sigaction how = { .sa_handler = handler }, old;
	const ff_sigset bit = FF_SIG(SIGSYS);
	ff_sigset before = 0;

	if (change_sigsys(FF_NEXT(sigaction), holds ? NULL : &how, &old) < 0)
		return SIG_ERR;
	sys(rt_sigprocmask, holds ? SIG_BLOCK : SIG_UNBLOCK, &bit, &before,
	    sizeof(bit));
	return before & bit ? SIG_HOLD : old.sa_handler;
}

FF_EXPORT sighandler_t sigset(int sig, sighandler_t handler)
{
	const bool own = ff_borrower_has_set(sig);
	struct sigaction how = { .sa_handler = handler }, old;

	if (concerns_us(sig))
		return set_sigsys(handler);
	if (handler != SIG_HOLD)
		begin_change(sig, (void *)handler);
	old.sa_handler = FF_NEXT(sigset)(sig, handler);
	if (old.sa_handler == SIG_ERR)
		return SIG_ERR;
	if (old.sa_handler != SIG_HOLD)
		tell_programs(sig, &old, own);
	if (handler != SIG_HOLD)
		note(sig, 0, is_handler(&how));
	return old.sa_handler;
}

/* The pointers may be any: what can't be read is refused before it has an
 * effect, and whether there is room for an answer the kernel says. */
static bool may_read(const struct ff_sigaction *act)
{
	const char *at = (const char *)act;
	size_t i;

	for (i = 0; i < sizeof(*act); i += sizeof(long))
		if (!ff_may_read_word(at + i))
			return false;
	return true;
}

/* As the kernel has it. 0, or -1 and errno. */
static long change_sigsys_raw(long nr, const struct ff_sigaction *set,
			      struct ff_sigaction *old, long bytes)
{
	struct ff_sigaction now, *kept;
	ff_sigset mask;
	long rc = 0;

	if (set)
		now = *set;
	kept = ff_sigsys_begin(&mask);
	if (!kept) {
		rc = FF_NEXT(syscall)(nr, SIGSYS, set, old, bytes);
	} else {
		if (old)
			rc = FF_NEXT(syscall)(nr, SIGSYS, NULL, old, bytes);
		if (rc == 0 && old)
			*old = *kept;
		if (rc == 0 && set)
			*kept = now;
	}
	ff_sigsys_end(mask);
	return rc;
}

long ff_sigaction_raw(long nr, const long *args)
{
	const struct ff_sigaction *set = (void *)args[1], *was;
	struct ff_sigaction *old = (void *)args[2];
	const int sig = (int)args[0];
	const bool own = ff_borrower_has_set(sig);
	const bool reads = set && may_read(set);
	bool handled = false;
	long rc;

	if (reads) {
		handled = ff_is_handler(set);
		if (handled && !ff_loan)
			ff_exec_note_handler(sig, set->mask);
		begin_change(sig, (void *)set->handler);
	}
	if (concerns_us(sig) && args[3] == (long)sizeof(set->mask) &&
	    (reads || !set))
		return change_sigsys_raw(nr, set, old, args[3]);
	rc = FF_NEXT(syscall)(nr, args[0], set, old, args[3]);
	if (rc < 0)
		return rc;
	if (reads)
		note(sig, 0, handled);
	was = old ? ff_borrower_action(sig, (void *)old->handler, own) : NULL;
	if (was)
		*old = *was;
	return rc;
}

FF_EXPORT int sigaltstack(const stack_t *restrict stack, stack_t *restrict old)
{
	int rc = FF_NEXT(sigaltstack)(stack, old);

	if (rc == 0 && old)
		ff_borrower_tells_altstack(old);
	return rc;
}
