/* What came of a child of fork, and how two of that kind differ. */
#ifndef FUZZ_ENDING_H
#define FUZZ_ENDING_H

#include "around.h"
#include "child.h"
#include "found.h"

#include <sys/types.h>

struct ending {
	int error;	/* of fork */
	int wait;	/* the child's status; -errno */
	int leftover;	/* what a wait for any child says afterwards */
	int errno_kept; /* it was this before */
	int stops;
	bool is_cut; /* short, by somebody else, at any moment */
	bool memory_kept, state_kept, signals_kept; /* the caller looks */
	uint64_t around[AROUND_MAX];		    /* what is left there */
	uint64_t shared; /* memory that the child could change */
	struct scene_effect effect;
	char said[CHILD_SAID + 8];
	struct witness found;
};

/* In every new state. */
void ending_prepare(void);

/* The end of @child, or -1 where @error says why there is none. */
void ending_wait(struct ending *ret, pid_t child, int error);
/* All that can be seen thereafter. */
void ending_get(struct ending *ret);

/* Is @a, which is ours, as @b, which is libc's? Prints how it is not, and what
 * the children said up to there. */
bool ending_same(const struct ending *a, const struct ending *b, bool print);

#endif
