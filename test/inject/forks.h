/* The forks whose system calls fail: what parent and child do in each. */
#ifndef INJECT_FORKS_H
#define INJECT_FORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "inject.h"

/* How a child ends that does not come to exec. */
enum {
	CHILD_REFUSED = 50, /* a call of its own said what the tracer let it */
	CHILD_WRONG = 51,   /* ... something else */
	CHILD_TORN = 52,    /* its memory is not its parent's */
	CHILD_WHOLE = 53,   /* it is */
};

struct fork_way {
	const char *name;
	pid_t (*fork)(void);   /* does not come back in the child */
	void (*let)(void);     /* the parent, when fork has returned; or NULL */
	bool (*prepare)(void); /* the process; false: impossible; or NULL */
	unsigned proofs;       /* forks by which its place becomes known */
	unsigned made[INJECT_KINDS]; /* where nothing fails */
	bool by_budget;		     /* a short one */
	bool writes;		     /* the child, one byte into the pipe */
	bool may_be_slow;	     /* then somebody stands in */
	bool hangs;		     /* if nobody can be had who does */
};

extern const struct fork_way fork_ways[];
extern const unsigned fork_ways_count;

/* Before all: what forks leave out of the copy, and how children are told. */
void forks_prepare(void);
/* What children and parent talk by; again in each process. */
bool forks_pipes(void);
/* In the process: has it its memory, as it was? */
bool forks_intact(void);
/* Take back what the last fork left to be read: how many bytes there were. */
unsigned forks_drain(void);

/* A child that looks at all its memory; or fork's -1. */
pid_t forks_whole(void);

#endif
