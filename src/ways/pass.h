/*
 * A fork's way through libc: first its turn (process/turn.h), then past the gate
 * to its clone. Between the prepare handlers and the clone only libc is at work,
 * so real forks are counted there, and not while handlers of the program run:
 * these may wait for what a thread has that forks lazily.
 *
 * Each thread is in one fork at most, and what its handlers make inside it.
 */
#ifndef FF_WAYS_PASS_H
#define FF_WAYS_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "host/signals.h"
#include "lazy/slot.h"

struct ff_pass {
	bool real;	      /* the call forks for real */
	struct ff_slot *slot; /* of a lazy fork: it may have become real */
	uint32_t turn;	      /* this thread has it; 0: not */
	bool counted;	      /* the gate counts a real fork of this thread */
	bool met;	      /* our prepare handler has run ... */
	unsigned more;	      /* ... and again, in forks that are not ours */
	bool inside;	      /* another fork of this thread is past the turn */
	int64_t from_ns;      /* it was counted, if that is of use ... */
	int64_t took_ns;      /* ... and left after that */
};

extern _Thread_local struct ff_pass ff_passing
	__attribute__((tls_model("initial-exec")));

/* A fork begins. Returns what the thread was in before. */
struct ff_pass ff_pass_begin(void);
/* ... for real. */
struct ff_pass ff_pass_begin_real(void);
/* In the process that began: the call has returned. How long it was counted, 0:
 * that is of no use. */
int64_t ff_pass_end(const struct ff_pass *before);

/* In a flight: would a copy of this memory have all of it (process/gate.h)? */
bool ff_pass_can_copy(void);

/* If this thread forks lazily it waits for itself. */
bool ff_pass_is_inside(void);

/* In a flight, all signals blocked. The turn is waited for without either, with
 * @mask. False: in no flight, with @mask: a filter has come. */
bool ff_pass_take_turn(ff_sigset mask);
/* A real fork follows. @sweeps: in a flight. */
void ff_pass_count(bool sweeps);
/* ... and handlers of the program's are to come, none of ours. In no flight. */
void ff_pass_count_now(void);
/* Behind the clone, or where there will be none: the next one's turn. */
void ff_pass_leave(void);
/* Our parent handler of pthread_atfork, which libc runs before all others. */
void ff_pass_part(void);

/* Whatever forks is libc's own, and runs handlers (H-E4). */
void ff_pass_trust_libc(void);
bool ff_pass_trusts_libc(void);

/* A new process is in none. */
void ff_pass_reset(void);

#endif
