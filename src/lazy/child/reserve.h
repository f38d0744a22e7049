/* The areas that a lazy child is born without, as mappings without access. */
#ifndef FF_LAZY_CHILD_RESERVE_H
#define FF_LAZY_CHILD_RESERVE_H

/* Reserve them in the new child, uncharged, and say of all that it is absent.
 * 0, or -errno. */
int ff_reserve(void);

#endif
