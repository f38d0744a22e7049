/* Are we in force in this process? The one answer for all rooms, in any thread
 * or signal handler. */
#ifndef FF_PROCESS_STANCE_H
#define FF_PROCESS_STANCE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "host/sandbox.h"
#include "tell/options.h"

/* This is a lazy child before exec: its calls are looked at one by one, and
 * what the interposer keeps is its parent's. */
extern bool ff_mediated;

/* Switched on, and in a process that is its own: what a program is told of its
 * forks, its children and its memory may be ours. */
static inline bool ff_is_on(void)
{
	return ff_options.on && !ff_mediated;
}

/* ... and calls of our own may be made: no filter came after the start that
 * may kill for one. A flight (host/sandbox.h) keeps it so. */
static inline bool ff_in_force(void)
{
	return ff_is_on() && !atomic_load(&ff_sandboxed);
}

#endif
