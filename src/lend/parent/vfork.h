/* vfork, the parent's half. */
#ifndef FF_LEND_PARENT_VFORK_H
#define FF_LEND_PARENT_VFORK_H

#include <stdbool.h>
#include <sys/types.h>

#include "arch/arch.h"

struct ff_record;

/* The functions behind ours. */
struct ff_libc {
	void *again; /* the call was ours: where it begins anew */
	pid_t (*fork)(void);
	pid_t (*bare_fork)(void); /* _Fork; NULL: it has none */
};

/*
 * vfork() for the function that @caller goes on in. Returns only if nothing
 * was done and @libc has to do it; else goes on in @caller, in
 * both processes.
 * Context: any; blocks until the child execs or ends, as vfork does.
 */
void ff_lend(const struct ff_caller *caller, const struct ff_libc *libc);

/* Is fork() to lend its memory, and can it here? Any context. */
bool ff_may_lend_to_forks(void);

/*
 * fork() by the same means, behind a fence, on paths whose children change
 * little: returns if this is none, or nothing was done.
 */
void ff_lend_to_fork(const struct ff_caller *caller, const struct ff_libc *libc,
		     struct ff_record *record);

/* Would it help to look at a lazy child of this path? */
bool ff_lend_wants_to_know(const struct ff_record *record);

#endif
