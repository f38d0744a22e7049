/*
 * One lazy fork in flight: what the forking thread, its SIGSYS handler and
 * the child know of it. The forking thread owns its slot from take to put.
 *
 * A slot lives in a house together with the alternate stack of its handler.
 * The house is not inherited: fork would take it away from the parent page
 * by page, to be faulted in again. It has an image, shared memory of the same
 * shape; right before the clone the parent copies into it what the child
 * needs, and the child starts by moving the image to where the house is in
 * the parent.
 */
#ifndef FF_LAZY_SLOT_H
#define FF_LAZY_SLOT_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/signals.h"
#include "lazy/areas.h"
#include "site/reason.h"

enum ff_state {
	FF_STARTING,   /* made; whether it is to live is not known yet */
	FF_BORN,       /* parent: it is; but it is not yet on its feet */
	FF_RUNNING,    /* the program's code runs in the child */
	FF_EXECING,    /* in execve: may not be cancelled any more */
	FF_EXEC_ALONE, /* parent: in execve, and the parent has gone on */
	FF_ROLLBACK,   /* child: took itself back, is about to be dead */
	FF_CANCELLED,  /* parent: takes the child back, kills it */
	FF_ASKED,      /* parent, or who stands in: a SIGSYS tells the committed
			  child to leave, or to look for signals */
	FF_LEAVING,    /* child: is fetching everything */
	FF_RELEASED,   /* child: has all its memory, is on its own */
};

/* The kernel's robust list, as in linux/futex.h. */
struct ff_robust_list {
	struct ff_robust_list *next;
};

struct ff_robust_head {
	struct ff_robust_list list;
	long futex_offset;
	struct ff_robust_list *pending;
};

/* Words around the robust one for its entry in a list of the program's. */
#define FF_ROOM 16

/* Who has the child's memory. */
enum ff_source {
	FF_SOURCE_PARENT,
	FF_SOURCE_STANDIN,
};

/* Of libc's fork, where a child has done nothing yet. */
enum ff_inside {
	FF_INSIDE,
	FF_OUT,		 /* child: it has come out */
	FF_STAYS_INSIDE, /* parent: it never will */
};

enum ff_want {
	FF_WANT_MEMORY,	 /* bytes at an address */
	FF_WANT_PAGEMAP, /* entries of the pages from an address on */
};

/*
 * In the image, so shared by parent, child and who stands in.
 *
 * H-I1 The child is an arbitrary program's, perhaps another user's by now:
 *      what its parent reads here is a hint. The parent loads each word once
 *      and takes what can't be true for "nothing", by the functions below;
 *      it follows no pointer, and no number is an index unchecked. What it
 *      decides for good, it decides by what the kernel says of the child.
 */
struct ff_shared {
	/* Child writes its tid once; the kernel marks it at exec or death
	 * and wakes the parent, who sleeps on it. */
	uint64_t room_below[FF_ROOM]; /* child: for robust.c */
	_Atomic uint32_t owner;
	uint32_t unused;
	uint64_t room_above[FF_ROOM];
	_Atomic uint32_t state;	  /* enum ff_state; both, by compare-exchange */
	_Atomic uint32_t reason;  /* child before ROLLBACK or RELEASED */
	_Atomic int32_t call;	  /* child: the system call of the reason */
	/* enum ff_source: parent; child, when it is back from exec */
	_Atomic uint32_t source;
	_Atomic uint32_t leave;	  /* parent: go on alone; child: done */
	_Atomic uint32_t standin; /* its tid; the kernel marks it, too */
	/* Child: the number of its question, stored when that is complete;
	 * who is the source: of the last one that is answered. Both wake the
	 * other. */
	_Atomic uint32_t asked, answered;
	_Atomic uint32_t question; /* child: enum ff_want */
	_Atomic uint64_t at, bytes;
	int64_t answer;		 /* how many are in the window, or -errno */
	_Atomic uint32_t inside; /* enum ff_inside; both, by compare-exchange */
	_Atomic uint32_t faults; /* child: page faults served */
	_Atomic uint32_t calls;	 /* child: calls mediated */
	_Atomic uint64_t fetched_bytes; /* child */
	struct ff_warm warm;		/* child, until exec; parent, then */
	_Atomic uint32_t strays;	/* child, at exec: lazy/strays.h */
	struct ff_robust_head head;	/* child: while the program has none */
	struct ff_robust_list entry;	/* ... and its only entry */
};

enum ff_outcome {
	FF_OUTCOME_NONE,
	FF_OUTCOME_EXEC,     /* the child exec'ed: it is the program's */
	FF_OUTCOME_BACK,     /* it is gone without trace: fork for real */
	FF_OUTCOME_RELEASED, /* a committed child went on, with all memory */
	FF_OUTCOME_ENDED,    /* a committed child ended without exec */
};

/* Forks of one process that are under way at once: one has the turn
 * (process/turn.h), and others have had it. They are made when they are needed. */
#define FF_SLOTS 32

#define FF_ALTSTACK_BYTES ((size_t)128 << 10)
#define FF_PRESENT_BYTES ((size_t)16 << 10)
#define FF_WINDOW_BYTES ((size_t)64 << 10)

struct ff_slot {
	struct ff_shared *shared; /* in the image */
	uintptr_t frame;	  /* of struct ff_strays */
	pid_t parent;		  /* who makes the child */
	pid_t went_on;		  /* the child, if that is its own word */

	bool armed;	 /* dispatch is on for this thread */
	bool expects;	 /* and the next SIGSYS is to be its (H-T7) */
	bool deny;	 /* it must be lazy, or fail */
	bool denied;	 /* it has failed */
	bool passes;	 /* for a reason that may be gone by the next time */
	bool real;	 /* a real fork follows; the gate counts it */
	bool committed;	 /* the child is born committed */
	bool alone;	 /* nobody else can change mappings under us */
	bool comes_out;	 /* the child says when it has come out of libc's fork */
	bool filtered;	 /* a seccomp filter is in force, or may be */
	bool at_large;	 /* a child taken back may still run: not killed */
	bool may_lower;	 /* a child can be another user's in time */
	bool called_off; /* the child will not stand up */
	bool is_open;	 /* the image is still inherited (H-I3) */
	bool supplied;	 /* it has memory of the parent in it (H-I5) */
	ff_sigset mask;	 /* what the program's mask is, while armed: libc may
			   have blocked all */
	ff_sigset mask_at_fork; /* ... and what it was before */
	ff_sigset *ret_mask;	/* ... and where libc has been told that */
	stack_t stack;		/* the program's alternate stack, while armed */

	/* For the log, the statistics and the site. */
	enum ff_outcome outcome;
	const char *why_real; /* NULL, or why nothing lazy was tried */
	uint32_t reason;
	int call;

	/* What this fork took beyond a real one, before its child had begun,
	 * and its clone. */
	int64_t extra_ns, clone_ns;

	struct ff_keep keep;

	/* Of the image only: what parent and child share, the child's bitmap
	 * of what is fetched where that is small enough, and what it is given
	 * when it asks. */
	struct ff_shared of_child;
	uint64_t present[FF_PRESENT_BYTES / sizeof(uint64_t)];
	unsigned char window[FF_WINDOW_BYTES];

	struct ff_areas areas;
};

/*
 * H-I2 An image is used again, and who kept it from an earlier child would
 *      have the next one in his hands. Until a child changes its rights, only
 *      those have access to its memory who have its parent's as well. Before
 *      it does so it says it here, in a page of the image, and lets the page
 *      go: from then on nobody who has less can take it back. The parent lets
 *      such an image go, too.
 * H-I4 That a committed child has another program, or is dead, is its own word
 *      for its parent to go on. Its image is used again when the kernel says so.
 * H-I5 What a child was given lies in the image, too, and may be what the
 *      program wipes after use, and keeps out of core dumps. So the image is in
 *      none, and is wiped as soon as the child is gone.
 * H-I3 The images are not inherited, but by the clone that one is for: a
 *      process that is made past us has none.
 */
struct ff_latch {
	_Atomic uint32_t changed;
};

struct ff_house {
	char altstack[FF_ALTSTACK_BYTES];
	struct ff_slot slot;
	_Alignas(FF_PAGE) struct ff_latch latch;
};

static inline struct ff_house *ff_house_of(struct ff_slot *slot)
{
	return (struct ff_house *)((char *)slot -
				   offsetof(struct ff_house, slot));
}

static inline struct ff_house *ff_image_of(struct ff_slot *slot)
{
	return (struct ff_house *)((char *)slot->shared -
				   offsetof(struct ff_house, slot.of_child));
}

/* The slot of the fork this thread is in, or NULL. */
extern _Thread_local struct ff_slot *ff_current
	__attribute__((tls_model("initial-exec")));

/* Why the child went; FF_REASON_NONE, too, where it says nonsense. */
enum ff_reason ff_reason_told(const struct ff_slot *slot);
/* What the child fetched: clusters of its areas. */
void ff_warm_told(const struct ff_slot *slot, struct ff_warm *ret_warm);

/* A free slot with its memory, or NULL: none is free, or memory is refused.
 * Async-signal-safe. */
struct ff_slot *ff_slot_take(void);
/* Is none free? Those that are put back soon are of threads that have had their
 * turn, and are on their way back to the program. */
bool ff_slots_are_taken(void);
/* Was the last one none for want of memory? */
bool ff_slots_are_refused(void);
/* Back to the free ones. The image of a child that lives on is its alone, and
 * so is that of any child that may have given up rights (H-I2). */
void ff_slot_put(struct ff_slot *slot);

/* Around a clone in which the image is inherited (H-I3). open: false, it can't
 * be. close: in the parent only. */
bool ff_slot_open(struct ff_slot *slot);
void ff_slot_close(struct ff_slot *slot);

/* In the child, which runs in the image of @own: before it changes its
 * rights (H-I2). False: it must not. */
bool ff_slot_latch(struct ff_slot *own);

/* In the child, first of all: the images that were open, too, let go. */
void ff_slots_of_others(const struct ff_slot *own);

void ff_areas_copy(struct ff_areas *to, const struct ff_areas *from);

/* All of a slot that its child needs, into its image; not the stack. */
void ff_slot_depict(struct ff_slot *slot);

/* In a new process: what there was is the parent's, and not here. */
void ff_slots_reset(void);

/* Add to what must come along the memory of all slots, and the pages that
 * other rooms keep for themselves. */
void ff_slots_keep(struct ff_keep *keep);
void ff_pages_keep(struct ff_keep *keep);

#endif
