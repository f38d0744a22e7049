/* The clone of a child that borrows. */
#ifndef FF_LEND_PARENT_CLONE_H
#define FF_LEND_PARENT_CLONE_H

#include <stdbool.h>
#include <stdint.h>

#include "lend/loan.h"

/*
 * The child begins in ff_borrow(), on the stack that ends at @top, without
 * handlers of the program's (H-V3). Returns its number, or -errno.
 * Context: all signals blocked.
 */
long ff_lend_clone(struct ff_loan *loan, uintptr_t top);

/* Not for want of something, but because such a child is not to be had here. */
bool ff_clone_is_refused(long rc);

#endif
