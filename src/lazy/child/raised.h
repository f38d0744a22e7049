/* In a lazy child: signals that the kernel raises at an instruction, apart
 * from those that are ours there. */
#ifndef FF_LAZY_CHILD_RAISED_H
#define FF_LAZY_CHILD_RAISED_H

#include <stdbool.h>

/* SIGBUS, SIGFPE, SIGILL, SIGTRAP? */
bool ff_is_raised(int sig);

/* If the program handles @sig, ours is in its place from now on. 0 or -errno. */
int ff_raised_take(int sig);
/* The program's action is in force again. */
void ff_raised_give(int sig);

/* All of them. */
int ff_raised_begin(void);
void ff_raised_leave(void);

#endif
