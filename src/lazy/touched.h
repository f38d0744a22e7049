/*
 * Which pages a process ever touched, by its pagemap: the rest of an area is
 * zero in parent and child alike, and may be far more than the machine has.
 */
#ifndef FF_LAZY_TOUCHED_H
#define FF_LAZY_TOUCHED_H

#include <stdbool.h>
#include <stdint.h>

/* Call @each for the runs of touched pages in [start, end), by an open
 * /proc/PID/pagemap. 0, or the first -errno of a read or of @each. */
int ff_each_touched(int pagemap, uintptr_t start, uintptr_t end,
		    int (*each)(uintptr_t start, uintptr_t end, void *arg),
		    void *arg);

/* Does something stand in for @page: a guard, or its place in swap? */
bool ff_is_marker(int pagemap, uintptr_t page);

#endif
