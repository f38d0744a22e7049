/* A child that is the first of a pid namespace is its init. */
#ifndef FF_HOST_PIDNS_H
#define FF_HOST_PIDNS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Would the calling thread's next child be an init (after unshare(2) or
 * setns(2), its own or that of whoever exec'ed it)? When such a child ends,
 * no other can be made in its namespace, so it must be the only one. True as
 * well where it can't be known. Async-signal-safe.
 */
bool ff_next_child_is_init(void);

/* The same, or they are born into another namespace than the caller's, where
 * pids are others. */
bool ff_children_are_elsewhere(void);

/*
 * Is the parent that made this process dead, whose number was @pid where it
 * lives? Where that is another namespace, the kernel tells none of a parent
 * that is alive, and else whoever takes orphans here. One system call.
 */
bool ff_parent_is_dead(pid_t pid);

/* Whoever sees every unshare() and setns() of the program says so, and calls
 * ff_pidns_changes() before each of them. */
void ff_pidns_watch(void);
void ff_pidns_changes(void);

/* Has whoever shares the memory of this process another pid for sure? Not if
 * this is an init, or may have made one. */
bool ff_pids_are_unique(void);

#endif
