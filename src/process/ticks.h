/* How long something takes, by the processor's own count: no call is made. */
#ifndef FF_PROCESS_TICKS_H
#define FF_PROCESS_TICKS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The count, for ff_ticks_since(); 0: it may not be read in this process.
 * Whether it may is asked by one call, the first time.
 * Context: a flight (host/sandbox.h) in which a fork, vfork or spawn has found
 * that it may be ours.
 */
uint64_t ff_ticks_begin(void);

/* Ticks since @from, at least 1; 0: not known. No call. */
uint64_t ff_ticks_since(uint64_t from);

/*
 * So many ticks take so many nanoseconds, as it was between the first of
 * ff_ticks_begin() and now; false: not known, as no statistics are wanted.
 * Context: where these are written.
 */
struct ff_ticks_rate {
	uint64_t ticks;
	int64_t ns;
};
bool ff_ticks_rate(struct ff_ticks_rate *ret_rate);

/* The program is about to say whether it may be read (PR_SET_TSC). */
void ff_ticks_refuse(void);

#endif
