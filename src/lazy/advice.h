/*
 * madvise() that concerns fork, by the program: noted, and never while marks
 * of ours stand on the same memory.
 */
#ifndef FF_LAZY_ADVICE_H
#define FF_LAZY_ADVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "host/signals.h"

struct ff_advice_window {
	ff_sigset mask;
	bool gated;
};

bool ff_advice_concerns_fork(int advice);
void ff_advice_begin(struct ff_advice_window *window, void *start, size_t bytes,
		     int advice);
void ff_advice_end(const struct ff_advice_window *window);

#endif
