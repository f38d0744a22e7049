/* The spawns whose system calls fail: rich ones, by every name. */
#ifndef INJECT_WAYS_H
#define INJECT_WAYS_H

#include <stdbool.h>
#include <sys/types.h>

#include "inject.h"

struct way {
	const char *name;
	/*
	 * Start ./witness; which of its calls is to fail, inject says. Returns 0 with *ret_child set, or an errno with it untouched.
	 */
	int (*run)(int *ret_child);
	void (*prepare)(void); /* the process, before; or NULL */
	bool pidfd;	       /* *ret_child is one */
	bool new_user;	       /* makes a user namespace: not in a chroot */
	bool posix;	       /* is of no interest where that is libc's own */
};

extern const struct way ways[];
extern const unsigned ways_count;

/* Set by who calls run(): is a call to fail? Else no tracer is called. */
extern bool ways_fail;

#endif
