/*
 * A child that is lost in libc's fork: it found there what other threads have
 * changed since (LIMITS.md), and goes round for ever.
 */
#ifndef FF_LAZY_PARENT_LOST_H
#define FF_LAZY_PARENT_LOST_H

#include <stdbool.h>
#include <stdint.h>

#include "lazy/slot.h"

struct ff_lost {
	const struct ff_slot *slot;
	pid_t pid;
	bool may_be;	   /* it has not come out of libc's fork */
	int64_t look_ns;   /* at the clock, when to look again */
	int64_t most_ns;   /* of its own time without coming any further */
	int64_t cpu_ns;	   /* what it had used ... */
	uint32_t progress; /* ... when it had come that far */
};

void ff_lost_begin(struct ff_lost *l, const struct ff_slot *slot, pid_t pid,
		   int64_t budget_ns);

/* No longer than that, of @ns, until it is asked again whether it is. */
int64_t ff_lost_patience(const struct ff_lost *l, int64_t ns);
bool ff_is_lost(struct ff_lost *l);

/* Has the child not come out of libc's fork? False, too, where that is not
 * known. And: it never will from now on. */
bool ff_is_inside(const struct ff_slot *slot);
bool ff_keep_inside(const struct ff_slot *slot);

#endif
