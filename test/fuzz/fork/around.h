/*
 * What the process that forks may have besides memory, descriptors and
 * signals: locks, streams, timers, threads, limits, ... A subject each, in
 * around_*.c, on top of the state; a batch has some of them.
 */
#ifndef FUZZ_AROUND_H
#define FUZZ_AROUND_H

#include "rng.h"

#include <stdbool.h>
#include <stdint.h>

struct around {
	const char *name;
	unsigned percent; /* of the batches have it */
	/* Once, in the process of the batch. False: not to be had here. */
	bool (*begin)(void);
	/* Before each child; equal choices for ours and for libc's. */
	void (*before)(struct rng *r);
	/* When fork has returned in the parent, before it waits. */
	void (*meanwhile)(void);
	/* When the child is gone: a number that says what it left of it. */
	uint64_t (*after)(void);
	/* What children do about it. */
	const struct step *steps;
};

/* Each of these may be missing. Limits are the last: what they forbid, the
 * others have to do before. */
#define AROUND(X)    \
	X(locks)     \
	X(streams)   \
	X(keys)      \
	X(threads)   \
	X(thread)    \
	X(timers)    \
	X(advice)    \
	X(writer)    \
	X(files)     \
	X(doors)     \
	X(handlers)  \
	X(waits)     \
	X(slow)      \
	X(storm)     \
	X(filter)    \
	X(room)      \
	X(namespace) \
	X(limits)

enum {
#define X(name) AROUND_##name,
	AROUND(X)
#undef X
	AROUND_MAX,
};

#define X(name) extern const struct around around_##name;
AROUND(X)
#undef X

extern uint64_t around_batch;

/* What children exec instead of the witness, or NULL. */
extern const char *around_program;

/* Somebody else kills it, if he finds it; and has sent the SIGKILL, perhaps to
 * one that it was before. */
bool around_kills(void);
bool around_has_killed(void);
/* Somebody else stops it, if he finds it. */
bool around_stops(void);

/* Those of @batch, or of the comma-separated @names; in its process. */
void around_begin(uint64_t seed, uint64_t batch, const char *names);

/* Whether the batch has it: of those before the one who asks. */
bool around_has(unsigned which);

void around_before(struct rng r);
void around_meanwhile(void);
void around_after(uint64_t ret[AROUND_MAX]);

/* Steps of one of those that there are, or NULL. */
const struct step *around_steps(struct rng *r);

const char *around_name(unsigned which);
void around_print(void);

/* A number and another: one that says both. */
static inline uint64_t around_mix(uint64_t h, uint64_t value)
{
	return (h ^ value) * 0x9e3779b97f4a7c15u;
}

/* Runs on through all children; a process of its own, not a child to wait
 * for. */
void around_apart(void (*run)(void *arg), void *arg);

#endif
