/* What a child does, a step each. By subject: steps_*.c. */
#ifndef FUZZ_STEPS_H
#define FUZZ_STEPS_H

#include "rng.h"

/*
 * A step returns what it was answered: a number that says all of it, or
 * -errno. Addresses, process ids and times have no place in it.
 */
struct step {
	const char *name;
	unsigned weight;
	long (*take)(struct rng *r);
};

#define STEP(weight, name)          \
	{                           \
#name, weight, name \
	}

/* Each ends with one without a name. */
extern const struct step steps_memory[], steps_buffers[], steps_fds[],
	steps_signals[], steps_process[];
/* Others than the child see these. */
extern const struct step steps_seen[];

/* -errno where a call answers -1. */
long step_result(long rc);

#endif
