/* The parent, inside libc's clone call, until its child execs, is taken
 * back, or goes on alone. */
#ifndef FF_LAZY_PARENT_WAIT_H
#define FF_LAZY_PARENT_WAIT_H

#include <sys/types.h>

#include "lazy/slot.h"

/* Context: all signals blocked. A child that is taken back is reaped. */
enum ff_outcome ff_wait_child(struct ff_slot *slot, pid_t pid,
			      unsigned budget_ms);

/*
 * The child, which waits for one of these behind the clone: it may stand up;
 * or it shall end instead. Then, with no marks in force: wait for that, and let
 * nobody know.
 */
void ff_bear_child(struct ff_slot *slot);
void ff_call_off_child(struct ff_slot *slot);
void ff_bury_called_off(struct ff_slot *slot, pid_t pid);

#endif
