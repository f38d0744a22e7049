#ifndef FF_PRELOAD_PRELOAD_H
#define FF_PRELOAD_PRELOAD_H

#include <stdint.h>

/* The version script says which of them leave the object. */
#define FF_EXPORT __attribute__((visibility("default")))

/* Where preload's syscall() jumps; NULL until it is known. */
extern long (*ff_next_syscall)(long nr, ...);
long ff_syscall_look(long nr, long a, long b, long c, long d, long e, long f);

/* syscall() by a child of vfork: what libc's functions of these names may not
 * do there either; by any process: what changes its later forks. */
void ff_leave_call(long nr, const long *args);

/* Before a call that waits for children with @options. */
void ff_wait_raw(int options);

/* Our own fork handler, if it is not there yet: before all others. */
void ff_register_own_handler(void);

/* Out of mediation, if this is a lazy child; it may end here. Keeps errno. */
void ff_leave_lazy_child(void);

#endif
