/*
 * The processes that stand in for this one: remembered until they are reaped.
 */
#ifndef FF_PROCESS_STANDINS_H
#define FF_PROCESS_STANDINS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

bool ff_standins_full(void);
/* @pid serves the child @child. */
void ff_standin_remember(pid_t pid, pid_t child);
/* True: @pid is reaped, or was. */
bool ff_standin_reap(pid_t pid);
/* The same, but its end is waited for, for @ns at most. */
bool ff_standin_reap_within(pid_t pid, int64_t ns);
/* Whatever it is at, it ends. */
void ff_standin_dismiss(pid_t pid);

/* Reap those that are done. Context: any; cheap while there are none. */
void ff_standins_reap(void);

/* The same, but those that still serve are waited for, @ms at most; those that
 * have nobody to serve do not stay. */
void ff_standins_await(unsigned ms);

/*
 * Around a wait that finds children of any kind. settle: those whose child has
 * ended are waited for, so that who has no other child hears so. found: is this
 * told of one of them? Then nobody will be told it again, and it is to be looked
 * again.
 */
bool ff_any_standin(void);
void ff_standins_settle(void);
bool ff_standin_found(const siginfo_t *info);
/* A wait has told of @pid: of one of them? By no call; @ended: it is reaped. */
bool ff_standin_told(pid_t pid, bool ended);

#endif
