/*
 * Syscall user dispatch on the forking thread, and the SIGSYS handler that
 * both sides of a lazy fork live in.
 */
#ifndef FF_PROCESS_TRAP_H
#define FF_PROCESS_TRAP_H

#include <stdbool.h>

#include "lazy/slot.h"

/* si_code of the SIGSYS that dispatch raises; asm-generic/siginfo.h has it
 * from 5.11 on. */
#ifndef SYS_USER_DISPATCH
#define SYS_USER_DISPATCH 2
#endif

/* Does the kernel have it, and is it left to us? The kernel is asked once. */
bool ff_dispatch_possible(void);

/* The program has it for itself, in some thread: what is set there can't be
 * asked for, so it could not be put back. */
void ff_dispatch_is_programs(void);

/*
 * From here on every system call of this thread, but ours, arrives in
 * ff_parent_call(). All signals are blocked, and were before; @mask is the
 * program's. NULL, or why it can't be done. The caller's flight goes on until
 * the thread is disarmed.
 */
const char *ff_arm(struct ff_slot *slot, ff_sigset mask);

/* The opposite, from outside the handler; signals stay blocked. */
void ff_disarm(struct ff_slot *slot);

/* From inside, right behind the clone: SIGSYS is the program's again. */
void ff_untrap(struct ff_slot *slot);

/* From inside: what the frame restores on return is the program's. */
void ff_disarm_in_handler(struct ff_slot *slot, ucontext_t *uc);

/* Dispatch on and off for this thread; 0 or -errno. */
int ff_dispatch(bool on);

/* SIGSYS as the program has it, while ours is installed. */
const struct ff_sigaction *ff_program_sigsys(void);

/*
 * sigaction(SIGSYS) by the program, in any thread. begin: true if ours is
 * installed, and what the program will get back may be read and changed;
 * until end nobody installs or removes ours.
 */
struct ff_sigaction *ff_sigsys_begin(ff_sigset *ret_mask);
void ff_sigsys_end(ff_sigset mask);

/* In a new process that is not lazy: give SIGSYS back if another thread of
 * the parent was armed. */
void ff_trap_reset(void);

/* Install @handler for @sig on the alternate stack, with all signals blocked
 * but page faults. */
int ff_handle(int sig, void (*handler)(int, siginfo_t *, void *),
	      struct ff_sigaction *ret_old);

/* Child: SIGSYS is ours again, after an exec that failed. */
void ff_trap_again(void);

/* One trapped call, on either side. */
void ff_parent_call(struct ff_slot *slot, ucontext_t *uc, long nr);
void ff_child_call(ucontext_t *uc, long nr);
/* A SIGSYS that is somebody's signal, not dispatch. */
void ff_child_foreign(ucontext_t *uc, siginfo_t *info);

#endif
