/*
 * A stack lent to a child, by vfork or by a fenced fork, and all that both
 * processes know of it. The parent waits on a stack of the loan's own, while the
 * child runs on the program's; both see the same memory, this struct included.
 */
#ifndef FF_LEND_LOAN_H
#define FF_LEND_LOAN_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/types.h>

#include "arch/arch.h"
#include "host/signals.h"
#include "lend/fence.h"
#include "lend/functions.h"
#include "lend/record.h"
#include "libc/streams.h"

#define FF_LOAN_STACK_BYTES ((size_t)32 << 10)
#define FF_LOAN_ALTSTACK_BYTES ((size_t)64 << 10)
#define FF_LOAN_ENVOY_BYTES ((size_t)32 << 10)
#define FF_LOAN_FRAME_BYTES ((size_t)256 << 10)
/* Above the return address lie arguments, which are the called one's. */
#define FF_LOAN_ARGS_BYTES ((size_t)128)

/* Is the child to live? It waits for that. */
enum ff_birth {
	FF_LOAN_UNBORN,
	FF_LOAN_AWAITED, /* child: it sleeps on it */
	FF_LOAN_BORN,
	FF_LOAN_CALLED_OFF,
};

/* What the child asks of its parent, who alone knows. */
enum ff_question {
	FF_ASK_NOTHING,
	FF_ASK_STATE, /* dispositions and alternate stack; and, of a child that
			 becomes a fork, the parent's gate */
	FF_ANSWERED,
};

/* Ids, and what changing them does to all who share the memory. */
struct ff_ids {
	bool noted;
	long dumpable;
	uid_t uid[3];
	gid_t gid[3];
};

/* What a fork does not inherit. */
#define FF_TIMERS 3
struct ff_task {
	int death_signal;
	struct itimerval timer[FF_TIMERS];
};

/* What a borrower and its envoy tell each other (child/envoy.c). */
enum ff_envoy_word {
	FF_ENVOY_IDLE,
	FF_ENVOY_ORDERED,
	FF_ENVOY_REFUSED, /* the kernel's error is there */
	FF_ENVOY_CALLED,  /* a signal is there that the program handles */
	FF_ENVOY_DISMISSED,
	FF_ENVOY_GONE, /* never told: it is where there is none any more */
};

#define FF_ENVOY_ARGS 5

/* Who execs for a child behind the fence: all of the child's, but the first two
 * and the pid. */
struct ff_envoy {
	_Atomic uint32_t here; /* as ff_loan.borrowed */
	_Atomic uint32_t word; /* enum ff_envoy_word */
	pid_t pid;	       /* by the kernel; 0: there was none */
	long nr, args[FF_ENVOY_ARGS], rc;
	ff_sigset arrived; /* for the child, which has taken them */
	ff_sigset handled; /* the envoy was called for this one */
	siginfo_t info;
	bool is_outdated;
	bool was_stopped; /* for a moment: its program had begun */
};

struct ff_loan {
	/* Where vfork was called, and the frame that its caller stands in:
	 * from caller.sp up to the return address, which is replaced. */
	struct ff_caller caller;
	uintptr_t *return_slot;
	uintptr_t return_address;
	size_t frame_bytes, args_bytes;

	/* Not 0 while the child has this memory: the kernel clears it and
	 * wakes the parent. The child adds to it to wake the parent itself. */
	_Atomic uint32_t borrowed;
	_Atomic uint32_t question; /* enum ff_question */
	_Atomic uint32_t birth;	   /* enum ff_birth */
	pid_t child;		   /* by the kernel */

	/* RLIMIT_NPROC, where it was lowered around the clone; both give it
	 * back, each its own. */
	bool reserved;
	struct rlimit nproc;

	/* Parent, before the clone. */
	struct ff_libc libc;
	pid_t parent;
	ff_sigset mask;		  /* the program's */
	struct ff_record *record; /* of a fork; NULL: it is a vfork */
	bool alone;		  /* no other thread is there */
	ff_sigset caught;	  /* handled by the program */
	bool has_handlers;	  /* ... and the child has them, too: clone */

	/* Child. */
	volatile char dispatches; /* are its calls, where no fence stands? */
	ff_sigset changed;  /* signals whose disposition it set itself */
	ff_sigset arrived;  /* of the caught: a fork is to take them */
	ff_sigset own_mask; /* its mask, while it becomes a fork */
	struct ff_task task;
	struct ff_ids ids; /* as they were before it changed them */
	const char *why;   /* it needs memory of its own; NULL: it does not */
	uintptr_t stack_in_use; /* then: from there up */
	bool late;		/* for no other reason than time */
	pid_t own;		/* the fork that it became; by the kernel */
	struct ff_envoy envoy;

	/* Parent. */
	int stopped_by;	   /* what stopped the child, which is asked to leave */
	bool gate;	   /* entered for the child, which becomes a fork */
	bool unclean;	   /* ... and must not: marks are left (process/gate.h) */
	long result;	   /* of vfork, or -errno */
	unsigned put_back; /* pages that the child changed */
	int error_was;	   /* errno */
	bool refused;	   /* no such child is made here, or now */
	int64_t from;	   /* when it began (process/stopwatch.h) */

	bool fenced; /* a fence was raised around the child of a fork */
	struct ff_fence fence;

	/* All above is zero at first. */
	struct ff_streams streams;  /* parent, before the clone; as these: */
	struct ff_fence_kept kept;  /* parent and child */
	siginfo_t info[FF_SIGNALS]; /* child: of what arrived */
	stack_t altstack;	    /* parent, when asked; as action */
	struct ff_sigaction action[FF_SIGNALS];
	uint64_t args[FF_LOAN_ARGS_BYTES / sizeof(uint64_t)];
	char frame[FF_LOAN_FRAME_BYTES];
};

/*
 * The loan that this thread's memory is under: NULL but in the child, as its
 * parent's thread runs none of the program's code meanwhile.
 */
extern _Thread_local struct ff_loan *ff_loan
	__attribute__((tls_model("initial-exec")));

/* A loan with its stacks, or NULL: no memory. No field is cleared. Any
 * context; no lock. */
struct ff_loan *ff_loan_take(void);
void ff_loan_put(struct ff_loan *loan);

/* The parent's stack while it waits: its top. */
void *ff_loan_stack(struct ff_loan *loan);
/* For the child's signal handlers: its bottom, FF_LOAN_ALTSTACK_BYTES. */
void *ff_loan_altstack(struct ff_loan *loan);
/* Of who execs for the child: its top. */
void *ff_loan_envoy_stack(struct ff_loan *loan);

#endif
