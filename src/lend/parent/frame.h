/* The frame that vfork() was called from, which is lent with the stack. */
#ifndef FF_LEND_PARENT_FRAME_H
#define FF_LEND_PARENT_FRAME_H

#include <stdbool.h>

#include "lend/loan.h"

/*
 * Note in @loan where the frame of @caller ends, its return address, and what
 * of the arguments above it belongs to it. False: that is not known.
 */
bool ff_lend_find_frame(struct ff_loan *loan, const struct ff_caller *caller);

#endif
