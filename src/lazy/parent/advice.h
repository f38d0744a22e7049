/*
 * Calls of the program that concern what its children inherit: noted, and never
 * made while marks of ours stand on the same memory.
 */
#ifndef FF_LAZY_PARENT_ADVICE_H
#define FF_LAZY_PARENT_ADVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/signals.h"

struct ff_advice_window {
	ff_sigset mask;
	bool gated;
	bool blocked; /* mask is to be put back */
};

bool ff_advice_concerns_fork(int advice);
bool ff_advice_any_dontfork(void);
/* Of a range that is unmapped or moved: is there a note of it? */
bool ff_advice_is_noted(const void *start, size_t bytes);

/* Around such a call. */
void ff_advice_begin(struct ff_advice_window *window);
void ff_advice_end(const struct ff_advice_window *window);

/* Around a move of memory that nothing is noted of: no mark of ours comes to
 * be on a part of it, for mremap() takes one mapping only. Without threads
 * there is nothing to do, nor past us (realloc() copies then). */
void ff_advice_begin_move(struct ff_advice_window *window);
void ff_advice_end_move(const struct ff_advice_window *window);

/* In between: before advice is given, and when it was; */
void ff_advice_note(const struct ff_advice_window *window, const void *start,
		    size_t bytes, int advice);
void ff_advice_given(const struct ff_advice_window *window, const void *start,
		     size_t bytes, int advice);
/* when memory is gone, or what was true of it is true at @to. */
void ff_advice_gone(const struct ff_advice_window *window, const void *start,
		    size_t bytes);
void ff_advice_copied(const struct ff_advice_window *window, const void *start,
		      size_t bytes, const void *to, size_t to_bytes);

#endif
