/*
 * Mappings that are kept for the next who needs such: as many as were needed at
 * once, up to a limit. Each place is one word, exchanged atomically, so threads,
 * signal handlers and a fork's child take and put at any time. No system calls.
 */
#ifndef FF_HOST_SHELF_H
#define FF_HOST_SHELF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define FF_SHELF_PLACES 64

/* All zero: empty. */
struct ff_shelf {
	_Atomic(void *) place[FF_SHELF_PLACES];
};

/* NULL: there is none. */
static inline void *ff_shelf_take(struct ff_shelf *shelf)
{
	void *kept;
	int i;

	for (i = 0; i < FF_SHELF_PLACES; i++) {
		if (!atomic_load_explicit(&shelf->place[i],
					  memory_order_relaxed))
			continue;
		kept = atomic_exchange(&shelf->place[i], NULL);
		if (kept)
			return kept;
	}
	return NULL;
}

/* False: it is full, and @kept stays the caller's. */
static inline bool ff_shelf_put(struct ff_shelf *shelf, void *kept)
{
	void *none;
	int i;

	for (i = 0; i < FF_SHELF_PLACES; i++) {
		none = NULL;
		if (!atomic_load_explicit(&shelf->place[i],
					  memory_order_relaxed) &&
		    atomic_compare_exchange_strong(&shelf->place[i], &none,
						   kept))
			return true;
	}
	return false;
}

#endif
