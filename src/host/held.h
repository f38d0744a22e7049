/*
 * A file of our own in a table of descriptors that other threads change: they
 * may close what they have not opened, as one does that closes everything from
 * 3 up, and open files of theirs under the same number. Plain fork has none
 * that they could meet.
 *
 * Which file it is says its path. Whether it still is that one is looked at
 * before what was read is believed, and before it is closed. Until then it is
 * read by pread() alone: of a pipe or a socket of somebody's that takes
 * nothing, and does not wait.
 */
#ifndef FF_HOST_HELD_H
#define FF_HOST_HELD_H

#include <stdbool.h>
#include <stdint.h>

struct ff_held {
	int fd;	     /* -1: none */
	bool shared; /* the table, or that was not known; else nothing is asked */
	uint64_t device, inode;
};

/* Who can say whether others may change the table; until it is known they may.
 * Set once, by the constructor. */
extern bool (*ff_table_may_be_shared)(void);

/* To be read; 0 or -errno, and then none is held. The path must lead to a file
 * that is the same for as long as it is open, as in /proc and in the like.
 * Context: any; raw calls. */
int ff_hold(struct ff_held *held, const char *path);

/* The same of any path, and for any use: @flags and @mode are open's. Which
 * file it is, is asked of the descriptor as soon as it is there. Who writes
 * does so at once. */
int ff_hold_any(struct ff_held *held, const char *path, int flags, int mode);

/* Asked by who has it, or a copy of it in a table of his own. */
bool ff_is_held(const struct ff_held *held);

/* Closes it, if it is there. -EBADF: it was not, and what was read may be
 * anybody's. */
int ff_release(struct ff_held *held);

/* Was one found gone, and are there others still? Between the last look at one
 * and its close nothing can be told, so who is in such a process should hold
 * none. */
bool ff_others_close_ours(void);

#endif
