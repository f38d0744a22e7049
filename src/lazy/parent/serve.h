/*
 * The process that stands in, from its first line on; standin.h makes it.
 */
#ifndef FF_LAZY_PARENT_SERVE_H
#define FF_LAZY_PARENT_SERVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "arch/arch.h"
#include "lazy/parent/supply.h"
#include "lazy/slot.h"

/* Shared by the two, and by nobody else. */
struct ff_pact {
	_Atomic uint32_t ready;
};

/* Above its stack, so private; its parent fills in the first part. */
struct ff_standin {
	struct ff_slot *image; /* the child's, where the parent has it */
	struct ff_pact *pact;
	bool tells; /* the parent, of an end that sends nothing */
	pid_t parent, child_pid;
	struct ff_areas areas;

	struct ff_supply supply;
	int child;  /* a pidfd */
	int status; /* the child's /proc/PID/stat, or -errno: it is hidden */
	int about;  /* ... and its status */
	ff_sigset pending;
	struct ff_robust_head head;
	struct ff_robust_list entry;
};

/*
 * Serve the child that @arg, a struct ff_standin, tells of, until it needs
 * nothing more. Does not return.
 * Context: the new process, on a stack of its own, all signals blocked.
 */
void ff_standin_serve(void *arg);

#endif
