/* Processes of a loan that the program is not to see. */
#ifndef FF_LEND_PARENT_REAP_H
#define FF_LEND_PARENT_REAP_H

#include <sys/types.h>

struct ff_loan;

/* Waits for the end of @child. All signals are blocked. @programs: who is the
 * program's child in its place; or 0. */
void ff_reap(pid_t child, pid_t programs);

/* The child is gone, or has memory of its own. Whose program is it, its own or
 * its envoy's? The other one is reaped. */
void ff_reap_around_envoy(struct ff_loan *loan);

#endif
