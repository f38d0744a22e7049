/* What a system call may say when it fails. */
#ifndef INJECT_CALLS_H
#define INJECT_CALLS_H

#include <stdbool.h>

#define CALL_ERRORS 6

struct call {
	long nr;
	const char *name;
	int error[CALL_ERRORS]; /* ends with 0 */
	bool done; /* it has its effect all the same, as a close() has */
};

/* The call @nr with @args, made by the parent's or a child's part; @word is
 * what its second argument points at. NULL: one that can't fail. */
const struct call *call_find(long nr, const unsigned long long *args,
			     unsigned long word, bool in_child);

/* @call has how many? */
unsigned call_choices(const struct call *call);

#endif
