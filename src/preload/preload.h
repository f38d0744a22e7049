#ifndef FF_PRELOAD_PRELOAD_H
#define FF_PRELOAD_PRELOAD_H

/* The version script says which of them leave the object. */
#define FF_EXPORT __attribute__((visibility("default")))

/* Where preload's syscall() jumps; NULL until it is known. */
extern long (*ff_next_syscall)(long nr, ...);
long ff_syscall_look(long nr, long a, long b, long c, long d, long e, long f);

/* Out of mediation, if this is a lazy child; it may end here. Keeps errno. */
void ff_leave_lazy_child(void);

#endif
