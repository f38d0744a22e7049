/* system, popen and pclose on the spawn path. */
#ifndef FF_SPAWN_SHELL_H
#define FF_SPAWN_SHELL_H

#include <stdbool.h>
#include <stdio.h>

/* As system(3): a cancellation point, which kills and reaps the child. */
int ff_system(const char *command, const void *caller);

/* As popen(3). Not a cancellation point. */
FILE *ff_popen(const char *command, const char *mode, const void *caller);

/* Is it a stream of ff_popen()'s? Cheap where there are none. */
bool ff_is_popened(FILE *stream);

/*
 * pclose(3), and what libc's fclose does to such a stream: flush, close,
 * wait; the status, or -1. @close: libc's fclose.
 */
int ff_pclose(FILE *stream, int (*close)(FILE *));

/* In a new process: nobody else is here. */
void ff_system_reset(void);
void ff_popen_reset(void);

#endif
