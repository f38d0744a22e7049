/* vfork, and fork by the same means: the entries for the interposer. */
#ifndef FF_WAYS_LEND_H
#define FF_WAYS_LEND_H

#include <stdbool.h>

#include "arch/arch.h"
#include "lend/functions.h"

struct ff_record;

/*
 * vfork() for the function that @caller goes on in. Returns only if nothing
 * was done and @libc has to do it; else goes on in @caller, in
 * both processes.
 * Context: any; blocks until the child execs or ends, as vfork does.
 */
void ff_lend_to_vfork(const struct ff_caller *caller,
		      const struct ff_libc *libc);

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
