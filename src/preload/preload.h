/*
 * What the files of this room say to each other: a call by syscall() goes where
 * the function of its name does, which is another family's.
 */
#ifndef FF_PRELOAD_PRELOAD_H
#define FF_PRELOAD_PRELOAD_H

#include <stdbool.h>
#include <stdint.h>

/* The version script says which of them leave the object. */
#define FF_EXPORT __attribute__((visibility("default")))

/* Where preload's syscall() jumps; NULL until it is known. */
extern long (*ff_next_syscall)(long nr, ...);
long ff_syscall_look(long nr, long a, long b, long c, long d, long e, long f);

/* syscall() by a child of vfork: what libc's functions of these names may not
 * do there either; by any process: what changes its later forks. */
void ff_leave_call(long nr, const long *args);

/* Before personality(@persona), by whatever name. */
void ff_persona_changes(unsigned long persona);

/* syscall(@nr, ...) waits for children: it is made, and *ret_rc is what it
 * says; false: there is nothing to look past. */
bool ff_wait_raw(long nr, const long *args, long *ret_rc);

/* syscall(@nr, ...) sends a signal to one thread, maybe. */
long ff_send_raw(long nr, const long *args);

/* Before exec, by whatever name. True: ff_exec_failed() if it returns. */
bool ff_exec_begins(void);

/* rt_sigaction by syscall(), as sigaction(); @args: its four. */
long ff_sigaction_raw(long nr, const long *args);

/* Who stood in, and has nothing more to do, is reaped. Cheap. Keeps errno. */
void ff_tidy(void);

/* Our own fork handler, if it is not there yet: before all others. */
void ff_register_own_handler(void);

/* Out of mediation, if this is a lazy child; it may end here. Keeps errno. */
void ff_leave_lazy_child(void);

#endif
