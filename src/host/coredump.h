/* What a core dump does to those who share the memory of who dumps. Any
 * thread; async-signal-safe. */
#ifndef FF_HOST_COREDUMP_H
#define FF_HOST_COREDUMP_H

#include <stdbool.h>

/* Before Linux 5.16 it kills them. Asked of the kernel once. */
bool ff_core_dump_kills_sharers(void);

/* The answer from a kernel's release, for who may not ask for it. */
void ff_core_dump_learn(const char *release);

#endif
