/*
 * A process that stands in for a parent that can't wait for its lazy child
 * any longer: a copy of it, made by a real fork, which does nothing but give
 * the child its memory.
 */
#ifndef FF_LAZY_PARENT_STANDIN_H
#define FF_LAZY_PARENT_STANDIN_H

#include <stdbool.h>
#include <sys/types.h>

#include "lazy/slot.h"

/* May it tell the child of signals (H-D14)? Where not, because of a filter, the
 * child is to leave. */
bool ff_standin_may_ask(void);

/*
 * Make one for the child @pid. True: it serves the child from now on, and the
 * image is theirs. False: no process is to be had.
 * Context: the thread in the clone, all signals blocked.
 */
bool ff_standin_make(struct ff_slot *slot, pid_t pid);

/*
 * The same for a child on trial that is in execve: from then on it can't be
 * taken back, and waits find it by handed.h. False also: it has left execve.
 */
bool ff_standin_make_for_exec(struct ff_slot *slot, pid_t pid);

#endif
