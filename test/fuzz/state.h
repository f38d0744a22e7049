/*
 * The process that spawns, in a random state: descriptors, limits, signals,
 * ids, scheduling. A state is a function of seed and block.
 */
#ifndef FUZZ_STATE_H
#define FUZZ_STATE_H

#include "rng.h"

#include <sys/types.h>

enum {
	STATE_LOW = 32, /* descriptors below are what programs talk about */
};

extern int state_tty;	    /* our controlling terminal, high; -1: none */
extern pid_t state_sibling; /* a process group of our session, not ours */
extern bool state_reaps;    /* false: ended children leave no status */

/* Once: a session with a terminal, a sibling. Needs root for some of it. */
void state_setup(void);

/* Become the state of @block. */
void state_enter(uint64_t seed, uint64_t block);

/* What a single case changes on top: mask, umask, a pending signal. */
void state_tweak(struct rng *r);
/* Takes back what must not heap up; was the pending signal still there? */
bool state_untweak(void);

/* Can another descriptor be opened? */
bool state_has_room(void);

/* What spawning must leave alone; a number that says it all. */
uint64_t state_digest(void);

/* What is printed may be in a file, and that be longer than the state lets it
 * be: no limit until the next state. */
void state_lift_file_size(void);

/* A few lines on standard error. */
void state_print(void);

#endif
