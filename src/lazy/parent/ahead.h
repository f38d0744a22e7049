/* What libc calls ahead of its clone, and is done for it while we are armed. */
#ifndef FF_LAZY_PARENT_AHEAD_H
#define FF_LAZY_PARENT_AHEAD_H

#include <stdbool.h>
#include <ucontext.h>

#include "lazy/slot.h"

/* How often is looked for a signal that the program has to take (H-L4). */
#define FF_LOOK_FOR_SIGNALS_NS (1000L * 1000)

/* libc's own blocking of signals around its clone: the mask that it means to
 * have is kept in the slot, and where it was told what was before. Returns what
 * the call does. */
long ff_virtual_mask(struct ff_slot *slot, const ucontext_t *uc);

/* libc waits for a lock, or wakes who waits for one. False: the thread has a
 * signal to take first, or the call is not of that kind. */
bool ff_wait_for_lock(struct ff_slot *slot, ucontext_t *uc);

#endif
