/*
 * Signal sets and actions as the kernel has them. libc's own calls keep two
 * signals for themselves and may be asked for nothing here: these are raw.
 */
#ifndef FF_HOST_SIGNALS_H
#define FF_HOST_SIGNALS_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/sandbox.h"
#include "host/sys.h"

typedef uint64_t ff_sigset;

struct ff_sigaction {
	void (*handler)(int, siginfo_t *, void *);
	unsigned long flags;
	void (*restorer)(void);
	ff_sigset mask;
};

#define FF_SIG(n) ((ff_sigset)1 << ((n)-1))
#define FF_SA_RESTORER 0x04000000UL
#define FF_SA_EXPOSE_TAGBITS 0x800UL

/* Never blocked on a thread of ours: raised synchronously while blocked,
 * these kill. */
#define FF_SYNCHRONOUS                                                        \
	(FF_SIG(SIGSYS) | FF_SIG(SIGSEGV) | FF_SIG(SIGBUS) | FF_SIG(SIGFPE) | \
	 FF_SIG(SIGILL) | FF_SIG(SIGTRAP))
#define FF_ALL_BUT_SYNCHRONOUS (~FF_SYNCHRONOUS)
#define FF_SIGNALS 64
#define FF_NEEDED (FF_SIG(SIGSYS) | FF_SIG(SIGSEGV))
#define FF_UNBLOCKABLE (FF_SIG(SIGKILL) | FF_SIG(SIGSTOP))

static inline ff_sigset ff_setmask(ff_sigset mask)
{
	ff_sigset old = 0;

	/* As below: who puts back what this returns must do no harm. */
	if (sys(rt_sigprocmask, SIG_SETMASK, &mask, &old, sizeof(mask)) < 0)
		sys(rt_sigprocmask, SIG_BLOCK, NULL, &old, sizeof(mask));
	return old;
}

/* Block these as well; returns the mask for ff_setmask(). What the program blocks
 * stays blocked: it may be pending. */
static inline ff_sigset ff_block(ff_sigset these)
{
	ff_sigset old = 0;

	/* Where it is not to be had, ff_setmask() must do no harm. */
	if (sys(rt_sigprocmask, SIG_BLOCK, &these, &old, sizeof(these)) < 0)
		sys(rt_sigprocmask, SIG_BLOCK, NULL, &old, sizeof(these));
	return old;
}

/* Where none of our calls is raised SIGSYS for, whatever filter there is: it is
 * sent by somebody alone, and may wait. */
static inline ff_sigset ff_block_sigsys(void)
{
	return ff_block(FF_SIG(SIGSYS));
}

/* ... and all that can be, at once: a handler would find the others blocked. */
static inline ff_sigset ff_block_with_sigsys(void)
{
	return ff_block(FF_ALL_BUT_SYNCHRONOUS | FF_SIG(SIGSYS));
}

/*
 * Block what can be. SIGSYS is left alone where a filter is in force, or may be:
 * it may be raised for a call of ours, and blocked it would kill then. No call
 * that dispatch raises it for may be made: those of libc's, by who is armed.
 */
static inline ff_sigset ff_block_signals(void)
{
	return ff_is_unfiltered() ? ff_block_with_sigsys() :
				    ff_block(FF_ALL_BUT_SYNCHRONOUS);
}

/* The kernel's mask where the program's is @program and ours is in force:
 * all blocked but what is raised synchronously, and of that, what the
 * program blocks and we do not need. */
static inline ff_sigset ff_our_mask(ff_sigset program)
{
	return (FF_ALL_BUT_SYNCHRONOUS | program) & ~FF_NEEDED;
}

static inline ff_sigset ff_pending(void)
{
	ff_sigset set = 0;

	sys(rt_sigpending, &set, sizeof(set));
	return set;
}

/* What rt_sigprocmask would do, to a mask kept in memory: 0 or -errno. @set
 * and @old are the program's, so they may be any pointers. */
long ff_change_mask(ff_sigset *mask, long how, const ff_sigset *set,
		    ff_sigset *old, long set_bytes);

/* A way to change a mask that the kernel refuses once it has read the set. */
#define FF_NO_SUCH_WAY (-1)

/* Can eight bytes be read there? The kernel says; where it may not be asked,
 * true. */
bool ff_may_read_word(const void *at);

/* Has what can be read there the protection key of ordinary memory, the only one
 * that a handler's register opens? */
bool ff_has_common_key(const void *at);

/* Is a signal pending that a thread with this mask would take? */
bool ff_signal_waits(ff_sigset mask);

/* The same, for who blocks all signals in place of a program with this mask:
 * one that the program ignores is dropped, as it would have been. */
bool ff_signal_comes(ff_sigset mask);

/* A fault, of an instruction that will be executed again? */
static inline bool ff_comes_again(int sig, const siginfo_t *info)
{
	return info->si_code > 0 && sig != SIGTRAP &&
	       (FF_SIG(sig) & FF_SYNCHRONOUS);
}

/* What the kernel makes of an action that it is given. */
#define FF_SA_KNOWN                                                           \
	((unsigned long)(unsigned)(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | \
				   SA_ONSTACK | SA_RESTART | SA_NODEFER |     \
				   SA_RESETHAND | FF_SA_EXPOSE_TAGBITS |      \
				   FF_SA_RESTORER))

/* Flags that mean nothing to any kernel: BSD's, which old programs set
 * (SA_INTERRUPT), and the one that never will (SA_UNSUPPORTED). */
#define FF_SA_IGNORED (0x20000000UL | 0x400UL)

/* False: it has flags that are not known here, and may be to the kernel. Above
 * the 32nd are none: libc's int is negative where SA_RESETHAND is set. */
static inline bool ff_normalize_action(struct ff_sigaction *act)
{
	const bool known =
		!((uint32_t)act->flags & ~(FF_SA_KNOWN | FF_SA_IGNORED));

	act->mask &= ~FF_UNBLOCKABLE;
	act->flags &= FF_SA_KNOWN;
	return known;
}

static inline bool ff_is_handler(const struct ff_sigaction *act)
{
	return (void *)act->handler != (void *)SIG_DFL &&
	       (void *)act->handler != (void *)SIG_IGN;
}

#endif
