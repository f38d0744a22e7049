/* fork, whichever way: the one entry for the interposer. */
#ifndef FF_WAYS_FORK_H
#define FF_WAYS_FORK_H

#include <stdbool.h>
#include <sys/types.h>

/* A libc call that forks once at most and returns like fork. */
typedef long (*ff_forking_call)(void *arg);

/*
 * Run @call(@arg) so that the fork in it is lazy where that is possible and
 * promises something. @return_address: where the program called from.
 * Returns what @call returns, in both processes; errno is libc's.
 * Context: any, signal handlers included.
 */
long ff_fork(ff_forking_call call, void *arg, const void *return_address,
	     const char *name);

/* The same, for a call in which libc runs no fork handlers. */
long ff_fork_bare(ff_forking_call call, void *arg, const void *return_address,
		  const char *name);

/* The same as ff_fork(). @strays->frame says what is wanted to know of a lazy
 * child, and is 0 afterwards if there is no answer (lazy/strays.h). */
struct ff_strays;
long ff_fork_watched(ff_forking_call call, void *arg,
		     const void *return_address, const char *name,
		     struct ff_strays *strays);

/* The same as ff_fork_bare(), real whatever was asked: for calls whose child
 * never execs. */
long ff_fork_real_bare(ff_forking_call call, void *arg,
		       const void *return_address, const char *name);

/* The same for a call whose parent never returns, and in which libc runs fork
 * handlers: counters are written before it. */
long ff_fork_real_and_end(ff_forking_call call, void *arg,
			  const void *return_address, const char *name);

/* Libc will run ff_intent_meet() behind all other prepare handlers. Until this
 * is said, forks with handlers are real. @by_libc: and all that forks is
 * libc's. */
void ff_fork_is_met(bool by_libc);

#endif
