/* What a started program found, and how two of that kind differ. */
#ifndef FUZZ_FOUND_H
#define FUZZ_FOUND_H

#include "scene.h"
#include "witness.h"

#include <stdbool.h>
#include <sys/types.h>

/* Numbers that differ from child to child by what they mean. */
enum {
	FOUND_OWN = 1,
	FOUND_PARENTS = 2,
	FOUND_SIBLINGS = 3,
};

int32_t found_meaning(int32_t id, int32_t pid);

/* Numbers that differ from child to child become what they stand for. */
void found_normalise(struct witness *w, const struct scene_effect *e);

/* The status of @child, reaped; -errno. Those that stop are continued, and
 * counted where that is wanted. */
int found_status(pid_t child, int *ret_stops);
/* What a wait for any child says thereafter: 0, a pid or -errno. @flags beside
 * WNOHANG. */
int found_leftover(int flags);
/* What the witness wrote, if it did. */
void found_report(struct witness *ret);

struct difference {
	bool print, any;
};

/* Notes that @a, which is ours, is not @b, and prints it where wanted. */
void compare(struct difference *d, const char *what, long a, long b);
void compare_ints(struct difference *d, const char *what, const int *a,
		  const int *b, int n);
void found_compare(struct difference *d, const struct witness *a,
		   const struct witness *b);

#endif
