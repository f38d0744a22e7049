/* Is anybody else at work in this memory? */
#ifndef FF_LIBC_THREADS_H
#define FF_LIBC_THREADS_H

#include <stdbool.h>

/* libc's word; false, too, where it has none. Context: any; no system call. */
bool ff_libc_made_no_thread(void);

/*
 * How many threads the kernel counts in this process, those included that
 * were made past libc; 0: it does not tell. Context: any; one system call, a
 * path under /proc.
 */
unsigned ff_threads(void);

/* This thread is the only one, says the kernel, and no process was ever seen
 * made that shares the memory and runs beside us. Where it can't be known:
 * false. */
bool ff_is_alone(void);

/* The same, of what /proc/thread-self/status said a moment ago. */
bool ff_is_alone_by(unsigned threads);

/* Has nobody else this memory, neither a thread nor a process, however it was
 * made? The kernel's word at this moment, by one system call that changes
 * nothing; false, too, where it may not be made. */
bool ff_memory_is_unshared(void);
/* ... but where it may not be made ff_is_alone() has to do. */
bool ff_memory_seems_unshared(void);

/* The same without a system call: false only where no thread was ever seen
 * made, by libc or by clone(2). */
bool ff_may_have_threads(void);

/* The program makes a process or thread with these flags of clone(2). To be
 * called before it does. */
void ff_threads_note_clone(unsigned long flags);

/* In a new process: who shared the parent's memory does not share this. */
void ff_threads_reset(void);

#endif
