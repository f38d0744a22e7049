/* The parent, inside libc's clone call, until its child execs, is taken
 * back, or goes on alone. */
#ifndef FF_LAZY_WAIT_H
#define FF_LAZY_WAIT_H

#include <sys/types.h>

#include "lazy/slot.h"

/* Context: all signals blocked. A child that is taken back is reaped. */
enum ff_outcome ff_wait_child(struct ff_slot *slot, pid_t pid,
			      unsigned budget_ms);

/* Take the child back now; false: it has exec'ed, or is about to. */
bool ff_cancel_child(struct ff_slot *slot, pid_t pid);

/* A committed child that has not stood up yet shall end instead; false: it
 * has. Then, with no marks in force: wait for that, and let nobody know. */
bool ff_call_off_child(struct ff_slot *slot);
void ff_bury_called_off(struct ff_slot *slot, pid_t pid);

#endif
