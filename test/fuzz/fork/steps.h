/* What a child does, a step each. By subject: steps_*.c. */
#ifndef FUZZ_STEPS_H
#define FUZZ_STEPS_H

#include "rng.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A step returns what it was answered: a number that says all of it, or
 * -errno. Addresses, process ids and times have no place in it.
 */
struct step {
	const char *name;
	unsigned weight;
	long (*take)(struct rng *r);
	bool quiet; /* what programs do before exec: waits for nobody */
};

#define STEP(weight, name)                 \
	{                                  \
#name, weight, name, false \
	}
#define QUIET(weight, name)               \
	{                                 \
#name, weight, name, true \
	}

/* Each ends with one without a name. */
extern const struct step steps_memory[], steps_buffers[], steps_fds[],
	steps_signals[], steps_process[], steps_raw[];
/* Others than the child see these. */
extern const struct step steps_seen[];

/* -errno where a call answers -1. */
long step_result(long rc);

/* Memory of at most @most bytes anywhere in the world; some are nowhere. own:
 * not in what is shared, so it may be written. */
struct buffer {
	char *at;
	size_t bytes;
};
struct buffer step_buffer(struct rng *r, size_t most);
struct buffer step_own_buffer(struct rng *r, size_t most);
/* A descriptor, of the program's most times. */
int step_fd(struct rng *r);

#endif
