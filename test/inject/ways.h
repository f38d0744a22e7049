/* The spawns whose system calls fail: rich ones, by every name. */
#ifndef INJECT_WAYS_H
#define INJECT_WAYS_H

#include <stdbool.h>
#include <sys/types.h>

#include "inject.h"

struct way {
	const char *name;
	/*
	 * Start ./witness, with the calls of that failing as way_order says.
	 * Returns 0 with *ret_child set, or an errno with it untouched.
	 */
	int (*run)(int *ret_child);
	void (*prepare)(void); /* the process, before; or NULL */
	bool pidfd;	       /* *ret_child is one */
	bool new_user;	       /* makes a user namespace: not in a chroot */
	bool posix;	       /* is of no interest where that is libc's own */
};

extern const struct way ways[];
extern const unsigned ways_count;

/* Set by who calls run(). Not armed: no tracer is called. */
struct order {
	bool armed;
	enum inject_side side;
	unsigned nth, which;
};
extern struct order way_order;

#endif
