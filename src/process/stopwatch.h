/*
 * How long something takes, for people.
 *
 * Hazard
 *  H-G6 The processor's time stamp counter, which the vDSO reads as well, may
 *       be switched off for a thread (PR_SET_TSC), by an instruction of its
 *       own: whoever reads it dies. The kernel is asked, by a call.
 */
#ifndef FF_PROCESS_STOPWATCH_H
#define FF_PROCESS_STOPWATCH_H

#include <stdint.h>

#include "host/clock.h"
#include "process/filter.h"

/*
 * For ff_stopwatch_ns(); 0: the clock may not be asked, or that is not known.
 * Context: a flight (host/sandbox.h) in which a fork, vfork or spawn has found
 * that it may be ours.
 */
static inline int64_t ff_stopwatch_start(void)
{
	return ff_filter_allows(FF_ASK_clock_gettime) ? ff_now_ns() : 0;
}

/* Since @from, in nanoseconds, at least 1; 0: not known. */
static inline uint64_t ff_stopwatch_ns(int64_t from)
{
	const int64_t ns = from ? ff_now_ns() - from : 0;

	return from && ns < 1 ? 1 : (uint64_t)ns;
}

#endif
