/*
 * A random child of fork: what it does to its memory, descriptors, signals
 * and itself, and how it ends. It says what each step answered, in words that
 * are the same wherever the same happens.
 */
#ifndef FUZZ_CHILD_H
#define FUZZ_CHILD_H

#include "rng.h"

#include <stdbool.h>

enum {
	CHILD_SAID = 2048,
};

/* How a child ends; those of a kind come from one place that forks. */
enum child_kind {
	CHILD_EXECS,	    /* what it did before is its own */
	CHILD_WRITES_EXECS, /* others see some of it */
	CHILD_EXEC_FAILS,
	CHILD_EXITS,
	CHILD_DIES,
	CHILD_STARTS, /* a child of its own */
	CHILD_KINDS,
};

/* Of the choices of @r, the first. */
enum child_kind child_kind(struct rng *r);

/* In the child; @r is what is left. Does not return. */
_Noreturn void child_run(enum child_kind kind, struct rng *r);

/* Before the fork: it is not libc's. For what only costs time with libc's. */
extern bool child_is_ours;

/* In the child: it has made processes of its own. */
extern bool child_has_started;

/* Where a child that does not exec leaves what it said: a file, high. */
extern int child_said_fd;
void child_setup(void);

#endif
