/*
 * What a vfork has to know of its process: asked of the kernel now and then,
 * as the answer costs as much as a child, and followed in between.
 */
#ifndef FF_LEND_PARENT_GROUND_H
#define FF_LEND_PARENT_GROUND_H

#include <stdbool.h>

#include "host/signals.h"

/*
 * May a stack be lent now? A tracer expects other events than ours, a filter
 * may refuse what we need. *ret_caught: the signals that the program handles.
 * Async-signal-safe.
 */
bool ff_lend_ground(ff_sigset *ret_caught);

/* And a fork's child, which may have to become a fork, and can't fail then? To
 * be asked beside. note_crowd: not for a while. */
bool ff_lend_ground_of_forks(void);
void ff_lend_note_crowd(void);

/* From now on none is lent: others write to the memory of this process. */
void ff_lend_no_forks(void);

/* The program sets the disposition of @sig. */
void ff_lend_note_action(int sig, bool handled);

#endif
