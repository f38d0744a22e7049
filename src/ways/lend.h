/* vfork, and fork by the same means: the entries for the interposer. */
#ifndef FF_WAYS_LEND_H
#define FF_WAYS_LEND_H

#include "arch/arch.h"
#include "lend/functions.h"
#include "ways/fork.h"

/*
 * vfork() for the function that @caller goes on in. Returns only if nothing
 * was done and @libc has to do it; else goes on in @caller, in
 * both processes.
 * Context: any; blocks until the child execs or ends, as vfork does.
 */
void ff_lend_to_vfork(const struct ff_caller *caller,
		      const struct ff_libc *libc);

/*
 * fork() for the function that @caller goes on in: on paths whose children
 * change little, and where the CPU has protection keys, its memory is lent
 * behind a fence; else as ff_fork().
 */
long ff_fork_or_lend(const struct ff_caller *caller, const struct ff_libc *libc,
		     ff_forking_call call, void *arg);

/* The program has registered fork handlers: no fork of it is lent. */
void ff_fork_has_handlers(void);

#endif
