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

/* The same, real whatever was asked: for calls whose child never execs. */
long ff_fork_real(ff_forking_call call, void *arg, const void *return_address,
		  const char *name);

/* The same for a call whose parent never returns: counters are written
 * before it. */
long ff_fork_real_and_end(ff_forking_call call, void *arg,
			  const void *return_address, const char *name);

/*
 * What has to be known of this process before it may lend a stack: NULL, or
 * why libc's vfork has to do. Its memory is its own then, and whoever asks
 * later can tell (host/identity.h).
 */
const char *ff_why_not_lend(void);

/* Libc will run ff_intent_meet() behind all other prepare handlers. Until this
 * is said, forks with handlers are real. */
void ff_fork_has_handler(void);

/* Before the first fork; more than once does no harm. The other: what of it
 * can't be done before libc has begun. */
void ff_fork_setup(void);
void ff_fork_setup_names(void);

/* Before somebody else runs in this memory whom we do not make (clone, libc's
 * vfork): who asks first whose it is, is taken for its owner. */
void ff_fork_memory_is_shared(void);

/* From now on forks of this process, and of its copies, are real. @why, for
 * the log, stays where it is. */
#define FF_USERFAULTFD "userfaultfd is in use"
#define FF_SEALED "memory is sealed"
void ff_fork_real_from_now(const char *why);
/* And those of other threads that are under way come to their end first (within
 * FF_FLIGHT_MAX_MS). */
void ff_fork_never_lazily(const char *why);
/* NULL: they may be lazy. */
const char *ff_fork_why_never(void);

#endif
