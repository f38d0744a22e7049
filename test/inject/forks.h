/* The forks whose system calls fail: what parent and child do in each. */
#ifndef INJECT_FORKS_H
#define INJECT_FORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "inject.h"

enum fork_group {
	FORKS_LAZY,	 /* nothing is lent */
	FORKS_BY_BUDGET, /* ... and the budget is short */
	FORKS_BY_VFORK,
	FORKS_LENT, /* by all that can be, behind protection keys */
	FORK_GROUPS
};

struct fork_way {
	const char *name;
	enum fork_group group;
	pid_t (*fork)(void);   /* does not come back in the child */
	void (*let)(void);     /* the parent, when fork has returned; or NULL */
	bool (*prepare)(void); /* the process; false: impossible; or NULL */
	unsigned proofs;       /* forks by which its place becomes known */
	unsigned made[INJECT_KINDS]; /* where nothing fails */
	bool writes;		     /* the child, one byte into the pipe */
	bool may_be_slow;	     /* then somebody stands in */
	bool hangs;		     /* if nobody can be had who does, or
					the child can't be asked to leave */
	bool becomes;		     /* the child, a fork, or it is killed */
};

extern const struct fork_way fork_ways[], lent_ways[];
extern const unsigned fork_ways_count, lent_ways_count;

#endif
