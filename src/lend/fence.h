/*
 * A fence of memory protection keys around a child in borrowed memory. While
 * it stands, what the child may write without being noticed (the stack, the
 * thread's control block, the loan) has a key that its register opens; all
 * else it can read alone, our own data included. A write that strays is a
 * fault before anything has happened: the page is kept and opened, or the
 * child becomes a fork. So the parent gets back all that it had, and nothing
 * needs to be known of the child beforehand.
 *
 * Only where no other thread is: all that changes is the child's doing then,
 * and no signal handler runs, which could not touch the stack.
 */
#ifndef FF_LEND_FENCE_H
#define FF_LEND_FENCE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <ucontext.h>

#include "host/page.h"

struct ff_loan;

#define FF_FENCE_RANGES 3
#define FF_FENCE_THREAD_BYTES ((size_t)16 << 10)
#define FF_FENCE_PAGES 32 /* kept for a child that writes elsewhere */
#define FF_FENCE_ROBUST 4 /* words, from the one before the head on */

struct ff_fence {
	/* All zero at first. */
	bool stands;
	int key;
	uint32_t keys_were; /* the program's register */
	int32_t *tid;	    /* as libc remembers it */
	uintptr_t *robust;  /* libc's list of robust locks, which is empty */
	uintptr_t held[FF_FENCE_ROBUST]; /* what the child has of it */
	unsigned ranges;
	struct ff_fenced {
		uintptr_t start, end;
		unsigned grows; /* PROT_GROWSDOWN, or 0 */
	} range[FF_FENCE_RANGES];
	uintptr_t stack_end; /* what is kept of the stack ends there */
	unsigned pages;
	uintptr_t page[FF_FENCE_PAGES];
};

struct ff_fence_kept {
	char thread[FF_FENCE_THREAD_BYTES];
	char page[FF_FENCE_PAGES][FF_PAGE];
};

/* Does this machine have what it takes? Asked once. */
bool ff_fence_possible(void);

/*
 * Parent, all signals blocked, before the stack is kept: open loan->fence, and
 * widen loan->frame_bytes to what is behind it of the stack. False, with
 * nothing changed: not here, not now.
 */
bool ff_fence_raise(struct ff_loan *loan);

/* Child: from here on the fence holds. Its thread id is unknown to libc, too
 * (libc/tids.h). */
void ff_fence_close(struct ff_loan *loan);

/* Child, outside of a handler: all is open to it as to the program. */
void ff_fence_open(struct ff_loan *loan);

/* Child: it writes to @address. True: it may do so now. */
bool ff_fence_mend(struct ff_loan *loan, uintptr_t address);

/* May the kernel write @bytes at @address for a child whose stack pointer is
 * @sp, and nothing be left of it? */
bool ff_fence_holds(const struct ff_loan *loan, uintptr_t sp, uintptr_t address,
		    size_t bytes);

/* Who has the memory for itself again: the parent, when the child is gone, or
 * the new process that the child became. In a handler, ff_keys_into() is to
 * be called behind it. */
void ff_fence_lower(struct ff_loan *loan);

/* Parent, after that: all but the stack, which its caller puts back. Returns
 * the pages that the child changed and should not have. */
unsigned ff_fence_put_back(struct ff_loan *loan);

/* Around libc's fork, the child and the new process that it becomes: that is
 * who the child was, and holds its locks. */
void ff_fence_note(struct ff_loan *loan);
void ff_fence_adopt(struct ff_loan *loan);

/* The child, with its handlers in place: from here on it is behind the fence
 * (fenced.c), or ends, and its parent is told. */
void ff_fenced_begin(struct ff_loan *loan);

/*
 * A signal of a child behind the fence (fenced.c). True: it was a system call
 * or a fault, which is dealt with, or goes on in the fork that the child has
 * become. False: it is a signal like any other.
 */
bool ff_fenced_signal(struct ff_loan *loan, int sig, const siginfo_t *info,
		      ucontext_t *uc);

#endif
