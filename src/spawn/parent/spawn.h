/* The parent's half of a spawn. */
#ifndef FF_SPAWN_PARENT_SPAWN_H
#define FF_SPAWN_PARENT_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#include "spawn/plan.h"

/* Linux 7.1's, which older headers lack: the kernel reaps it. */
#define FF_CLONE_AUTOREAP ((uint64_t)1 << 34)

/* How the child is born, beyond the plan that it walks. */
struct ff_birth {
	uint64_t flags; /* CLONE_NEW*, CLONE_AUTOREAP, ... */
	int cgroup;	/* with CLONE_INTO_CGROUP */
	int *ret_pidfd; /* NULL: none is wanted */
};

/*
 * Make a process that walks @plan and execs. @plan: what the program wants;
 * how it is carried out, its mask and its report are filled in here. @birth
 * may be NULL.
 * Returns 0 with *ret_pid (and the pidfd) set, or an errno with none of
 * them; plan->report then says which step it was. A child that failed has
 * been waited for.
 * Context: any thread, signal handlers; blocks until the child has exec'ed
 * or failed, with all signals of the thread blocked; errno is not touched.
 */
int ff_spawn(struct ff_plan *plan, const struct ff_birth *birth,
	     pid_t *ret_pid);

/* A filter is known to forbid it. */
void ff_spawn_without_clone3(void);

/* Believe that memory is never shared: valgrind and its like. */
void ff_spawn_never_share(void);

#endif
