/* The soak's parts: children, their parents, who molests them. */
#ifndef STRESS_SOAK_H
#define STRESS_SOAK_H

#include "size.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

enum {
	RIGHT = 7,   /* the status of a child that nothing happened to */
	FORKERS = 2, /* threads of a parent with threads */
};

enum kind {
	EXECS,
	LOOKS,
	ALLOCATES,
	MAPS,
	COUNTS,
	WRITES,
	DAEMON,
	RULES,
	PAUSES,
	PAUSES_LONG, /* beyond the budget */
	STOPS,
	ENDS,
	DIES,
	PARENT,	  /* of a child of its own */
	BY_VFORK, /* these by other names than fork */
	BY_SPAWN,
	BY_SYSTEM,
	BY_POPEN,
	KINDS
};

extern unsigned soak_own_word; /* 1; children write here; it is theirs */

/* In a child of fork: does what its kind does and ends. @out: a pipe;
 * @count: shared. */
_Noreturn void soak_child(enum kind kind, unsigned what, int out,
			  _Atomic unsigned *count);

/* What a parent tells, in shared memory. */
struct told {
	_Atomic pid_t pid;
	_Atomic long children, killed, wrong, in_children;
	struct size size[2];
	bool left[2]; /* a child that nobody waited for */
};

/* In a process of its own, for so long; @tally: a word of shared memory for
 * each thread that forks. */
_Noreturn void soak_parent(struct told *mine, bool threads, double seconds,
			   _Atomic unsigned *tally);

/* Kills or stops a child of @of, if it finds one. */
void soak_molest(pid_t of, unsigned *seed);

#endif
