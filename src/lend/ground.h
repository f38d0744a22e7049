/*
 * What a vfork has to know of its process: asked of the kernel now and then,
 * as the answer costs as much as a child, and followed in between.
 */
#ifndef FF_LEND_GROUND_H
#define FF_LEND_GROUND_H

#include <stdbool.h>

#include "host/signals.h"

/*
 * May a stack be lent now? A tracer expects other events than ours, a filter
 * may refuse what we need. *ret_caught: the signals that the program handles.
 * Async-signal-safe.
 */
bool ff_lend_ground(ff_sigset *ret_caught);

/* The program sets the disposition of @sig. */
void ff_lend_note_action(int sig, bool handled);

#endif
