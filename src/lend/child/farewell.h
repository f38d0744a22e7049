/*
 * What a borrower that becomes a fork says last, in memory that it shares with
 * the new process: the signals that came behind the clone's look for them.
 */
#ifndef FF_LEND_CHILD_FAREWELL_H
#define FF_LEND_CHILD_FAREWELL_H

#include "lend/loan.h"

struct ff_farewell {
	_Atomic uint32_t said;
	ff_sigset arrived;
	siginfo_t info[FF_SIGNALS];
};

/* NULL: there is no memory for it. Then such signals are lost. */
struct ff_farewell *ff_farewell_map(void);

/* The borrower, who ends then. */
void ff_farewell_say(struct ff_farewell *f);

/* The new process, before it does anything: waits for it, for ten seconds at
 * most. */
void ff_farewell_hear(struct ff_loan *loan, struct ff_farewell *f);

/* All signals that are pending, taken: which, and what is told of each. */
ff_sigset ff_take_pending(siginfo_t *ret_info);
/* Of what was taken so: these, for the calling thread. */
void ff_raise_taken(ff_sigset these, const siginfo_t *info);

#endif
