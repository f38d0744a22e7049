/* What a worker and all that came of it are at, when it does not go on. */
#ifndef FUZZ_STUCK_H
#define FUZZ_STUCK_H

#include <sys/types.h>

/* Prints a line for each of their threads: the process, its parent, its state,
 * the call it is in (/proc/PID/syscall), where the kernel has it. */
void stuck_print(pid_t worker);

#endif
