/* What has become of a child, by the kernel's word. Looks, reaps nothing. */
#ifndef FF_PROCESS_FATE_H
#define FF_PROCESS_FATE_H

#include <stdbool.h>
#include <sys/types.h>

/* Has it ended, whoever reaped it? */
bool ff_has_ended(pid_t pid);

/* Is nothing of it to be told any more: reaped, or another program? */
bool ff_is_told(pid_t pid);

/* ... or does it run another program than it was made with? One that leads a
 * session of its own is only said to when it has ended. */
bool ff_is_over(pid_t pid);

#endif
