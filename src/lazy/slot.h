/*
 * One lazy fork in flight: what the forking thread, its SIGSYS handler and
 * the child know of it. The forking thread owns its slot from take to put;
 * the child has a private copy of everything but the shared page.
 */
#ifndef FF_LAZY_SLOT_H
#define FF_LAZY_SLOT_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "host/signals.h"
#include "lazy/areas.h"

enum ff_state {
	FF_STARTING,  /* made, not yet on its feet */
	FF_RUNNING,   /* the program's code runs in the child */
	FF_EXECING,   /* in execve: may not be cancelled any more */
	FF_ROLLBACK,  /* child: took itself back, is about to be dead */
	FF_CANCELLED, /* parent: takes the child back, kills it */
	FF_ASKED,     /* parent: a SIGSYS asks the committed child to leave */
	FF_PUSHING,   /* parent: writes into the stopped child's memory */
	FF_LEAVING,   /* child: is fetching everything */
	FF_RELEASED,  /* child: has all its memory, is on its own */
};

/*
 * Why a lazy child went away or on without exec. The second column is what
 * the log says; the third, whether a child born committed at this site could
 * have gone on without its parent noticing.
 */
#define FF_REASONS(X)                                               \
	X(NONE, "", false)                                          \
	X(CALL, "calls what can't be undone", false)                \
	X(OUTPUT, "writes before exec", true)                       \
	X(EXIT, "ends without exec", false)                         \
	X(CRASH, "faults", false)                                   \
	X(SIGNAL, "has a signal to deliver", false)                 \
	X(SHARED, "writes shared memory", true)                     \
	X(MEMORY, "can't get its memory", false)                    \
	X(DESCRIPTOR, "needs the pager's descriptor number", false) \
	X(BUDGET, "time budget is used up", false)                  \
	X(DIED, "was killed before exec", false)

enum ff_reason {
#define X(id, text, commits) FF_REASON_##id,
	FF_REASONS(X)
#undef X
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

/* In a page of its own, shared by parent and child. */
struct ff_shared {
	/* Child writes its tid once; the kernel marks it at exec or death
	 * and wakes the parent, who sleeps on it. */
	_Atomic uint32_t owner;
	_Atomic uint32_t state;	 /* enum ff_state; both, by compare-exchange */
	_Atomic uint32_t reason; /* child before ROLLBACK or RELEASED */
	_Atomic int32_t call;	 /* child: the system call of the reason */
	/* Child: not 0 while it changes what is absent; then nothing is
	 * pushed. */
	_Atomic uint32_t busy;
	_Atomic uint32_t pushed; /* parent, once: all absent memory is there */
	_Atomic uint32_t faults; /* child: page faults served */
	_Atomic uint32_t calls;	 /* child: calls mediated */
	_Atomic uint64_t fetched_bytes; /* child */
	struct ff_robust_head head;	/* child: registered with the kernel */
	struct ff_robust_list entry;	/* ... and its only entry */
};

enum ff_outcome {
	FF_OUTCOME_NONE,
	FF_OUTCOME_EXEC,     /* the child exec'ed: it is the program's */
	FF_OUTCOME_BACK,     /* it is gone without trace: fork for real */
	FF_OUTCOME_RELEASED, /* a committed child went on, with all memory */
	FF_OUTCOME_ENDED,    /* a committed child ended without exec */
};

#define FF_ALTSTACK_BYTES ((size_t)128 << 10)

struct ff_slot {
	_Atomic bool busy;
	struct ff_shared *shared;
	char *altstack;

	bool armed;	/* dispatch is on for this thread */
	bool real;	/* a real fork follows; the gate counts it */
	bool committed; /* the child is born committed */
	bool pushed;	/* let go while stopped: the shared page is its */
	ff_sigset mask; /* the program's signal mask, while armed */
	stack_t stack;	/* the program's alternate stack, while armed */

	/* For the log, the statistics and the site. */
	enum ff_outcome outcome;
	const char *why_real; /* NULL, or why nothing lazy was tried */
	uint32_t reason;
	int call;

	struct ff_areas areas;
	struct ff_keep keep;
};

/* The slot of the fork this thread is in, or NULL. */
extern _Thread_local struct ff_slot *ff_current
	__attribute__((tls_model("initial-exec")));

/* A free slot with its memory, or NULL. Async-signal-safe. */
struct ff_slot *ff_slot_take(void);
void ff_slot_put(struct ff_slot *slot);
/* A child that was let go while stopped still looks at the shared page. */
void ff_slot_leave_shared(struct ff_slot *slot);

/* In a new process: shared pages are the parent's, everybody else is gone. */
void ff_slots_reset(void);

/* Add the memory of all slots to what must come along. */
void ff_slots_keep(struct ff_keep *keep);

#endif
