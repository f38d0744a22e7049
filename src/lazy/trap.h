/*
 * Syscall user dispatch on the forking thread, and the SIGSYS handler that
 * both sides of a lazy fork live in.
 */
#ifndef FF_LAZY_TRAP_H
#define FF_LAZY_TRAP_H

#include <stdbool.h>

#include "lazy/slot.h"

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

/* Child: SIGSYS is ours again, after an exec that failed. */
void ff_trap_again(void);

#endif
