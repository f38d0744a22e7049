/*
 * What may never come back is done aside: by a child that shares the memory,
 * and that is not waited for without end.
 */
#ifndef FF_PROCESS_ASIDE_H
#define FF_PROCESS_ASIDE_H

#include <stdbool.h>
#include <stddef.h>

/* How long it is waited for. */
#define FF_ASIDE_MS 2000

/*
 * Do @what, by raw system calls alone, with the @bytes at @arg, which are as it
 * left them afterwards; what it maps is there, what it opens is not. False, and
 * nothing is changed: it did not come back in time. Where no child can be had,
 * or none must be, the caller does it.
 * Context: any thread, in a flight, all signals blocked, or none is handled; a
 * filter that is there allows what lazy forks need; this is not valgrind.
 */
bool ff_aside(void (*what)(void *arg), void *arg, size_t bytes);

#endif
