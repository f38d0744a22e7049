/* A lazy fork that is wanted, until libc has come to its clone. */
#ifndef FF_WAYS_INTENT_H
#define FF_WAYS_INTENT_H

#include <stdbool.h>

#include "lazy/slot.h"
#include "lazy/strays.h"
#include "site/site.h"

/* Lies on the stack of the thread that forks. */
struct ff_intent {
	struct ff_site *site;
	enum ff_way way;
	const struct ff_strays *strays; /* or NULL */
	bool deny;			/* it must be lazy, or fail */
	bool last;			/* ... and this is the last try */

	/* Of ff_intent_meet(). */
	bool bare;	      /* libc runs no handlers */
	struct ff_slot *slot; /* armed, or was */
	const char *why;      /* or why it is not */
	bool again;	      /* it was denied for what passes */
};

/* What this thread is about to do, or NULL. */
extern _Thread_local struct ff_intent *ff_intended
	__attribute__((tls_model("initial-exec")));

/*
 * Why this thread could not arm now, NULL: it could. Where arming fails libc
 * makes a real fork; whoever wants none asks beforehand.
 */
const char *ff_intent_why_not(void);

/*
 * Arm for what this thread intends, if anything, or count a real fork (pass.h).
 * Our prepare handler of pthread_atfork, which libc runs behind all others.
 * Context: any.
 */
void ff_intent_meet(void);
/* ... where libc runs none; errno is as it was. */
void ff_intent_meet_now(void);

#endif
