/* What a system call may say when it fails. */
#ifndef INJECT_CALLS_H
#define INJECT_CALLS_H

#include <stdbool.h>

#include "inject.h"

#define CALL_ERRORS 6
#define CALL_SHORT 4095 /* for an error: it does the half of what is asked */

struct call {
	long nr;
	const char *name;
	int error[CALL_ERRORS]; /* ends with 0 */
	bool done; /* it has its effect all the same, as a close() has */
};

/* The call @nr with @args of @side; @word is what its second argument points
 * at. Is it one of a fork's, where what is read can come in pieces? NULL: one
 * that can't fail. */
const struct call *call_find(long nr, const unsigned long long *args,
			     unsigned long word, enum inject_side side,
			     bool of_fork);

/* May all later ones like @nr with @args say @error, too? Not what can't be
 * refused, what is tried until it works, and what takes our own marks away. */
bool call_may_fail_again(long nr, const unsigned long long *args, int error);

/* @call has how many? */
unsigned call_choices(const struct call *call);

#endif
