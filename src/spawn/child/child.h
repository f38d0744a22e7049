/* The child's half of a spawn. */
#ifndef FF_SPAWN_CHILD_CHILD_H
#define FF_SPAWN_CHILD_CHILD_H

#include "spawn/plan.h"

/*
 * Walk the plan @arg and exec; does not return. A failure is left in
 * plan->report, and where memory is not shared written to report_fd; then the
 * process exits with status 127, as POSIX has it.
 * Context: a new process, all signals blocked, on a stack of its own of at
 * least FF_CHILD_STACK_BYTES; its memory is its parent's.
 */
void ff_spawn_child(void *arg);

/* A step on descriptors and files: 0 or -errno. */
long ff_child_file_step(struct ff_plan *plan, const struct ff_step *step);

/* Try to exec what @plan says; the errno of the failure. */
int ff_child_exec(const struct ff_plan *plan);

#define FF_CHILD_STACK_BYTES (32 * 1024)

#endif
