/*
 * A process that has lost areas of its memory, as a lazy child has, but made
 * by plain fork: the pager and the mediator at work without dispatch. The
 * parent waits meanwhile, so what it has does not change.
 */
#ifndef FF_TEST_LOST_H
#define FF_TEST_LOST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "lazy/areas.h"
#include "lazy/child/child.h"
#include "lazy/child/pager.h"

/* In the child a failed check ends the process, not a test. */
#define CHILD_ASSERT(condition, ...)                                     \
	do {                                                             \
		if (!(condition)) {                                      \
			dprintf(2, "%s:%d: !(%s): ", __FILE__, __LINE__, \
				#condition);                             \
			dprintf(2, __VA_ARGS__);                         \
			dprintf(2, "\n");                                \
			_exit(1);                                        \
		}                                                        \
	} while (0)

/* What the next child goes without; by ascending address. */
void lose(const void *start, size_t bytes, int prot);

/* Mark what there is of it by MADV_WIPEONFORK: what the next child goes without
 * is what has that mark then. */
void lose_by_wiping(void);

/* Run @body in such a child, on trial; the test fails unless it gets to its
 * end without leaving. */
void run_lost(void (*body)(void));

/* ... or unless it takes itself back for this reason, in this call. */
void run_lost_until(void (*body)(void), enum ff_reason reason, long call);

/* The same, committed before its memory is reserved. */
void run_committed(void (*body)(void));

/* ... it lets itself go for this reason in this call, and gets to the end. */
void run_committed_past(void (*body)(void), enum ff_reason reason, long call);

/* Child: a system call of the program, as the mediator makes it. */
long mediated(long nr, long a, long b, long c, long d, long e, long f);

/* Child: may this byte be read? By the kernel's account: nothing is fetched. */
bool is_accessible(const void *at);

#endif
