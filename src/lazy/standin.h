/*
 * A process that stands in for a parent that can't wait for its lazy child
 * any longer: a copy of it, made by a real fork, which does nothing but give
 * the child its memory.
 */
#ifndef FF_LAZY_STANDIN_H
#define FF_LAZY_STANDIN_H

#include <stdbool.h>
#include <sys/types.h>

#include "lazy/slot.h"

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

/* Reap those that are done. Context: any; cheap while there are none. */
void ff_standins_reap(void);

/*
 * Around a wait that finds children of any kind. settle: those whose child has
 * ended are waited for, so that who has no other child hears so. found: was it
 * one of ours that ended, and is forgotten? Then it is waited again.
 */
bool ff_any_standin(void);
void ff_standins_settle(void);
bool ff_standin_found(pid_t pid);

/* In a new process: they are its parent's. */
void ff_standins_reset(void);

#endif
