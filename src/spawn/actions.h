/* File actions: a growing list of steps that owns its paths. */
#ifndef FF_SPAWN_ACTIONS_H
#define FF_SPAWN_ACTIONS_H

#include "spawn/plan.h"

struct ff_actions {
	struct ff_step *step;
	unsigned count;
	unsigned room;
};

/*
 * Append @step; its text, if it has one, is copied. Returns 0, or ENOMEM
 * with nothing changed.
 * Context: as malloc.
 */
int ff_actions_add(struct ff_actions *actions, const struct ff_step *step);

/* May @fd be a descriptor of this process? POSIX asks that when actions are
 * added. */
bool ff_actions_valid_fd(int fd);

void ff_actions_free(struct ff_actions *actions);

#endif
