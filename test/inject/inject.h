/*
 * System calls that fail on order: the process that asked for it is traced by
 * its parent, which lets the n-th call that it, or a child that it makes, make
 * say an error. The kernel does the failing; nothing is built into what is
 * tested. A child is let go when it has exec'ed.
 */
#ifndef INJECT_H
#define INJECT_H

#include <stdbool.h>
#include <sys/types.h>

enum inject_side {
	INJECT_PARENT, /* the process itself */
	INJECT_CHILD,  /* its children, counted together */
	INJECT_SIDES
};

/* In shared memory: the process orders, the tracer answers. */
struct inject {
	/* Written by the process before inject_on(). */
	enum inject_side side;
	unsigned nth;	/* counted from 1; 0: none fails */
	unsigned which; /* of the errors that the call can have */

	/* Written by the tracer until inject_off(). */
	unsigned calls[INJECT_SIDES];
	const char *call; /* the one that failed; NULL: there was no nth */
	int error;
	unsigned choices; /* how many errors there are to choose from */
};
extern struct inject *inject;

/* Once, in whoever will be the tracer: before the process is forked. */
void inject_prepare(void);

/* In the new process, whose parent calls inject_trace(). Ends it with status
 * 77 where nobody may trace. */
void inject_wait_for_tracer(void);

/* Trace @pid until it ends: its wait status. */
int inject_trace(pid_t pid);

/* Around what is to fail. Async-signal-safe, any mask. */
void inject_on(enum inject_side side, unsigned nth, unsigned which);
void inject_off(void);

#endif
