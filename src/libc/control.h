/*
 * A thread's control block: what libc keeps of a thread for itself, at the
 * thread pointer.
 * Context: the thread itself; async-signal-safe.
 */
#ifndef FF_LIBC_CONTROL_H
#define FF_LIBC_CONTROL_H

#include <stdint.h>

/* No more of it is written. */
#define FF_CONTROL_BYTES ((uintptr_t)2560)

/* Where libc remembers the thread's id: the one word of the block that is so.
 * NULL: there is none, or more than one. */
int32_t *ff_control_tid(void);

/*
 * The head of libc's list of robust locks, with the link backwards before it,
 * where both lead to itself: nothing is held. NULL: something is, or it can't be
 * told.
 */
uintptr_t *ff_control_robust(void);

#endif
