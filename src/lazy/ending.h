/* This program image is about to end: the last chance to say what it did. */
#ifndef FF_LAZY_ENDING_H
#define FF_LAZY_ENDING_H

enum ff_ending {
	FF_ENDING_EXIT,
	FF_ENDING_EXEC,
};

/*
 * Write the counters, tell the site that its child execs. Does nothing in a
 * lazy child, and in a process that borrows its parent's memory (vfork).
 * Async-signal-safe; keeps errno.
 */
void ff_ending(enum ff_ending how);

#endif
