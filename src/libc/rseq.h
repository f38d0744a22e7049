/*
 * The area of restartable sequences that libc registers with the kernel for each
 * thread, and the kernel writes to at any time.
 * Context: the thread itself, with a known libc (libc.h); async-signal-safe.
 * Source: rseq(2), glibc's sys/rseq.h.
 */
#ifndef FF_LIBC_RSEQ_H
#define FF_LIBC_RSEQ_H

#include <stdint.h>

/* The kernel writes to no more of it. */
#define FF_RSEQ_BYTES ((uintptr_t)32)

uintptr_t ff_rseq_area(void);

/* As libc does for a new thread, and what it notes where the kernel refuses. */
void ff_rseq_register(void);

#endif
