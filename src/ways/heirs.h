/* Who is started without us: LD_PRELOAD, as if we had not been in it. */
#ifndef FF_WAYS_HEIRS_H
#define FF_WAYS_HEIRS_H

#include <stdbool.h>

/*
 * A file says so: what this program starts by names of ours, from now on. Its
 * own environment stays as it is. The variable FLATFORK_INHERIT does not set
 * it: the environment is without us from the start, then.
 */
extern _Atomic bool ff_heirs_are_without_us;

/* Take our object out of the value of LD_PRELOAD, with one of the separators
 * beside it. What others have there stays as it is; what is not needed any more
 * is wiped, as the kernel shows all of it (/proc/PID/environ). False: we are
 * not there. Pure. */
bool ff_take_us_out(char *list);

/* The same of the process's own environment, in place. Before the program has
 * looked at it, or has a thread; or where it is the lesser evil. */
void ff_leave_environment(void);

#endif
