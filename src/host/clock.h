/* Time that goes on. */
#ifndef FF_HOST_CLOCK_H
#define FF_HOST_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "host/sys.h"

static inline int64_t ff_now_ns(void)
{
	struct timespec t = { 0 };

	sys(clock_gettime, CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#endif
