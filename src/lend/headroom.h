/*
 * Room for one process more. A child behind the fence may have to become a
 * fork after it has done what can't be undone: so it is lent only where the
 * kernel will not refuse that, and leaves before it takes the room away
 * itself.
 */
#ifndef FF_LEND_HEADROOM_H
#define FF_LEND_HEADROOM_H

#include <stdbool.h>
#include <sys/resource.h>

/*
 * Do the limits of this process's cgroups, and the policy of overcommitment,
 * leave room to copy it? False, too, where that can't be known. Reads some
 * files: to be asked now and then.
 */
bool ff_headroom_in_sight(void);

/*
 * Around the clone of a borrower: RLIMIT_NPROC is lowered by what is to be
 * left, so that the kernel, who alone can count, refuses the borrower where
 * there is less. False: there is no limit, and nothing to be given back. The
 * borrower inherits the lowered one and gives it back as well.
 */
bool ff_headroom_reserve(struct rlimit *ret_was);
bool ff_headroom_release(const struct rlimit *was);

/* Is no number of processes too many? Else a child that changes its ids may
 * leave the room behind: another user has processes of his own, which are
 * counted against it, and root's are not counted at all. */
bool ff_headroom_is_unlimited(void);

#endif
