/*
 * Syscall user dispatch, and whose SIGSYS is: the signal that dispatch raises
 * is of the whole process.
 */
#ifndef FF_PROCESS_SIGSYS_H
#define FF_PROCESS_SIGSYS_H

#include <signal.h>
#include <stdbool.h>
#include <ucontext.h>

#include "host/signals.h"

/* si_code of the SIGSYS that dispatch raises; asm-generic/siginfo.h has it
 * from 5.11 on. */
#ifndef SYS_USER_DISPATCH
#define SYS_USER_DISPATCH 2
#endif

/* Why there is none, or NULL: does the kernel have it, and is it left to us? The
 * kernel is asked once; again at each fork where an administrator forbids it. */
const char *ff_dispatch_why_not(void);

/* The program has it for itself, in some thread: what is set there can't be
 * asked for, so it could not be put back. */
void ff_dispatch_is_programs(void);

/* Dispatch on and off for this thread; 0 or -errno. */
int ff_dispatch(bool on);

/* The same with a byte that says whether calls are dispatched (1) or not (0). */
int ff_dispatch_by(const volatile char *selector);

/*
 * SIGSYS is ours, until the last who took it gives it back. 0, or -EBUSY: the
 * program handles it in a way that can't be kept up (H-T1). @filtered: a seccomp
 * filter may raise it; @alone: there is no other thread. In a new process it is
 * the program's again.
 */
int ff_sigsys_take(void (*handler)(int, siginfo_t *, void *), bool filtered,
		   bool alone);
void ff_sigsys_give(void);

/* Does the program handle it, and do more than return? */
bool ff_sigsys_is_handled(void);

/* One came that is the program's: its handler runs, where ours is installed for
 * another thread, or the signal comes again. In ours, with @uc of it. */
void ff_sigsys_pass_on(ucontext_t *uc, siginfo_t *info);

/* SIGSYS as the program has it, while ours is installed. */
const struct ff_sigaction *ff_sigsys_of_program(void);

/*
 * sigaction(SIGSYS) by the program, in any thread. begin: where ours is
 * installed, what the program will get back, to be read and changed; else NULL.
 * Until end nobody installs or removes ours.
 */
struct ff_sigaction *ff_sigsys_begin(ff_sigset *ret_mask);
void ff_sigsys_end(ff_sigset mask);

/* Install @handler for @sig on the alternate stack, with all signals blocked
 * but page faults. */
int ff_handle(int sig, void (*handler)(int, siginfo_t *, void *),
	      struct ff_sigaction *ret_old);

#endif
