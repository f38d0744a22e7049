/*
 * Whose memory is this? After any fork, seen by us or not, what is written
 * here is the parent's and must be made anew; after vfork it still is the
 * parent's, and must be left alone.
 */
#ifndef FF_HOST_IDENTITY_H
#define FF_HOST_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

enum ff_identity {
	FF_SAME,     /* the process that took this memory */
	FF_COPY,     /* a fork of it: the memory is its own */
	FF_BORROWED, /* a vfork of it: the memory is its parent's */
};

/* Whoever asks first takes the memory. Context: any; one system call. */
enum ff_identity ff_identity(void);

/* The page that tells, which must stay wiped in copies; 0: there is none. */
uintptr_t ff_identity_page(void);

/* A child that borrowed this memory, @borrower, or a fork of it? In pid
 * namespaces of their own pids tell nothing. */
bool ff_identity_is_copy(int borrower);

/* This process takes the memory. Cheap after the first time. */
void ff_identity_take(void);

/* What tells a copy from its original, and both from a loan, is got before the
 * first fork. False: it is not to be had, and pids have to do, which are not
 * enough for anything but real forks. */
bool ff_identity_take_to_fork(void);

#endif
