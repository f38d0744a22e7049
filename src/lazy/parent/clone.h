/* The parent's half of a lazy fork. */
#ifndef FF_LAZY_PARENT_CLONE_H
#define FF_LAZY_PARENT_CLONE_H

#include <ucontext.h>

#include "lazy/slot.h"

/* A call of the armed thread: the clone is ours, all others are made.
 * @as_program: as in ff_child_call(). */
void ff_parent_call(struct ff_slot *slot, ucontext_t *uc, long nr,
		    bool as_program);

/* A SIGSYS of the program's has come to the armed thread: it is taken first, and
 * the fork is real. */
void ff_parent_signal(struct ff_slot *slot, ucontext_t *uc);

#endif
