/* What came of a program, and how two of that kind differ. */
#ifndef FUZZ_OUTCOME_H
#define FUZZ_OUTCOME_H

#include "program.h"
#include "scene.h"
#include "witness.h"

struct outcome {
	struct built built;
	int rc;
	int wait;	/* the child's status; -errno */
	int child_set;	/* was the caller's pid written? */
	int foreground; /* group of the terminal: 0 ours, 1 the child's, ... */
	int fd_flags;	/* of the process descriptor */
	int leftover;	/* what a wait for any child says afterwards */
	bool state_kept, signals_kept, dumpable_kept;
	struct scene_effect effect;
	struct witness found;
};

/* Run @p with @impl from the present state; ids become relations. */
void outcome_get(struct outcome *ret, const struct program *p,
		 const struct impl *impl);

/* Is @a, which is ours, as @b, which is libc's? Prints how it is not. */
bool outcome_same(const struct outcome *a, const struct outcome *b, bool print);

#endif
