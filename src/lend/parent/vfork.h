/* A stack is lent: the parent's half. */
#ifndef FF_LEND_PARENT_VFORK_H
#define FF_LEND_PARENT_VFORK_H

#include "arch/arch.h"
#include "lend/functions.h"

struct ff_record;

/*
 * vfork(), or a fork, for the function that @caller goes on in. @record: a
 * fork's, which is lent behind a fence or not at all; NULL: it is a vfork. In a
 * flight, which lasts until it goes on in @caller, in both processes; returns
 * only if nothing was done (H-V7), and @libc has to do it.
 * Context: any; blocks until the child execs or ends, as vfork does.
 */
void ff_lend(const struct ff_caller *caller, const struct ff_libc *libc,
	     struct ff_record *record);

#endif
