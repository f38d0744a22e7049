/*
 * Children that were in execve on trial when their parent's time was up: fork
 * has returned, and until the kernel has started their program they are of the
 * class that ordinary waits do not find.
 */
#ifndef FF_PROCESS_HANDED_H
#define FF_PROCESS_HANDED_H

#include <stdbool.h>
#include <sys/types.h>

/* False: too many. */
bool ff_handed_add(pid_t pid);
void ff_handed_remove(pid_t pid);

/* Is there one, or is @pid (> 0) one? Those that have become ordinary, or are
 * gone, are forgotten first. Cheap while there are none. */
bool ff_any_handed(void);
bool ff_is_handed(pid_t pid);
/* By no call: may there be one, or may @pid (> 0) be one? */
bool ff_knows_handed(pid_t pid);

/* Before what SIGCHLD does is changed. */
void ff_handed_hear(void);
/* A wait is about to tell of @pid's end. True: of such a one nobody is told, and
 * it is to be looked again. */
bool ff_handed_unheard(pid_t pid);

#endif
