/* One attempt at the child of a spawn: its clone, in whichever way works here. */
#ifndef FF_SPAWN_PARENT_CLONE_H
#define FF_SPAWN_PARENT_CLONE_H

#include "spawn/parent/spawn.h"
#include "spawn/plan.h"

struct ff_attempt {
	struct ff_plan *plan;
	const struct ff_birth *birth;
	void *stack;
	enum ff_files files;
	int parent; /* a pidfd of ours, or -1 */
	int pidfd;
	int pipe; /* to read the report from, or -1 */
};

/*
 * Returns the child's number, or -errno. Where its memory is a copy, a->pipe is
 * what it reports by.
 * Context: all signals blocked.
 */
long ff_attempt_clone(struct ff_attempt *a);

/* The next clone's child gets a copy of the table of descriptors. */
void ff_attempt_copy_files(struct ff_attempt *a);

/* waitid() that no signal ends: 0, or -errno. */
long ff_spawn_wait(int kind, long which, int how);

#endif
