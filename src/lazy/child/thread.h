/*
 * The thread that a child on trial makes: made by the kernel, with what the
 * program asked for, and held back until the child waits for its end.
 */
#ifndef FF_LAZY_CHILD_THREAD_H
#define FF_LAZY_CHILD_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <ucontext.h>

#include "host/signals.h"

/* What clone() is told. */
struct ff_thread_wish {
	size_t bytes; /* of clone3's arguments; 0: clone has them in registers */
	unsigned long flags;
	uintptr_t stack_top, parent_tid, child_tid, tls;
};

enum ff_thread_state {
	FF_THREAD_NONE,
	FF_THREAD_HELD, /* there, and has run nothing of the program's */
	FF_THREAD_RUNS, /* while its maker waits for its end */
	FF_THREAD_ENDS, /* runs nothing of the program's, nor of ours */
};

struct ff_thread {
	_Atomic uint32_t state; /* enum ff_thread_state */
	pid_t tid;
	uintptr_t word;	   /* of the program's: cleared at its end */
	uintptr_t stack;   /* a mapping, for its handlers */
	ucontext_t *frame; /* where it begins */
	/* The program's view of what is ours: of the one who does not run. */
	ff_sigset mask;
	stack_t altstack;
};

/* Is it there? Then what would part the two is not made on trial. */
bool ff_thread_is_there(void);
/* Is it the one who asks? */
bool ff_thread_runs(void);

/* A trapped call that makes one; ends the trial, if it can't be as asked for. */
void ff_thread_make(ucontext_t *uc, long nr, const struct ff_thread_wish *wish);

/* Does this futex call wait for its end, and for nothing else? */
bool ff_thread_is_awaited(const ucontext_t *uc);
/* ... then it runs, and the call is made. */
void ff_thread_run(ucontext_t *uc, long nr);

/* It makes the call by which it ends. */
void ff_thread_end(ucontext_t *uc, long nr);

#endif
