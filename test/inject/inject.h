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
	INJECT_PARENT,	/* the process itself */
	INJECT_CHILD,	/* its children, counted together */
	INJECT_STANDIN, /* a process of the interposer's: it has descriptors
			   in common with the process when it is made */
	INJECT_SIDES
};

/* Processes made, by whom and of what kind. */
enum inject_made {
	INJECT_BY_US, /* by the interposer */
	INJECT_BY_LIBC,
	INJECT_STANDINS,
	INJECT_KINDS
};

/* In shared memory: the process orders, the tracer answers. */
struct inject {
	/* Written by the process before inject_on(). */
	enum inject_side side;
	unsigned nth;	/* counted from 1; 0: none fails */
	unsigned which; /* of the errors that the call can have */
	bool every;	/* and all later ones of its kind, by the same side */
	bool of_fork;	/* the tracer does not let itself be seen; what puts
			   something back does not fail in children either */
	bool quietly;	/* nothing fails, nothing is counted but made[] */

	/* Written by the tracer until inject_off(); of children until they have
	 * exec'ed or are gone. */
	unsigned calls[INJECT_SIDES];
	unsigned made[INJECT_KINDS]; /* since inject_on() */
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

/* Trace @pid until it and all that it made are gone or have exec'ed: its wait
 * status; that of a process killed by SIGALRM, if this takes longer than
 * @seconds. */
int inject_trace(pid_t pid, unsigned seconds);

/* Around what is to fail. Async-signal-safe, any mask. */
void inject_on(enum inject_side side, unsigned nth, unsigned which);
void inject_on_quietly(void);
void inject_off(void);

/* wait4() by an instruction of our own: by any name the interposer would take
 * it for the program's way to wait, and show it no lazy child. */
static inline long inject_wait(pid_t pid, int *status, int options)
{
	register long rusage __asm__("r10") = 0;
	long rc;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "a"(61L), "D"((long)pid), "S"(status),
			   "d"((long)options), "r"(rusage)
			 : "rcx", "r11", "memory");
	return rc; /* or -errno */
}

#endif
