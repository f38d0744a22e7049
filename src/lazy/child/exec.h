/* execve of a lazy child: the moment at which it may be either program. */
#ifndef FF_LAZY_CHILD_EXEC_H
#define FF_LAZY_CHILD_EXEC_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#include "host/signals.h"

/* Of a child whose execve is made outside of the handler. */
struct ff_exec {
	long nr;
	uintptr_t back; /* behind the program's instruction */
	uintptr_t sp;	/* its stack pointer there */
	/* Signals whose handlers would block what we need: they do not while
	 * the child is in execve. */
	ff_sigset opened[2]; /* SIGSEGV, SIGSYS */
};

/*
 * A handler for @sig is being installed, with @mask. Noted for good: only a
 * handler that is noted is asked for before an exec (H-X2).
 */
void ff_exec_note_handler(int sig, ff_sigset mask);

/*
 * The child is stopped in a call, a fault or a signal: if its state was
 * "in execve", it is not any more, and everything is as if the program had
 * been found where it itself made that call.
 */
void ff_exec_left(ucontext_t *uc);

/* Is this no call, but the answer of an exec that failed? Then it is given. */
bool ff_exec_has_failed(ucontext_t *uc);

#endif
