/* This program is about to end: the last chance to say what it did. */
#ifndef FF_WAYS_ENDING_H
#define FF_WAYS_ENDING_H

#include <stdbool.h>

enum ff_ending {
	FF_ENDING_WORDS, /* the process goes on, and says no more */
	FF_ENDING_EXIT,
	FF_ENDING_EXEC,
};

/*
 * Write the counters, tell the site that its child execs, reap who stood in;
 * before exec or exit, let other threads' trials come to their end. Does
 * nothing in a lazy child, and in a process that borrows its parent's memory
 * (vfork).
 * True: if the exec fails, say so.
 * Async-signal-safe; keeps errno. Blocks for about two budgets at most.
 */
bool ff_ending(enum ff_ending how);
void ff_exec_failed(void);

#endif
