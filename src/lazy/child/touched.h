/*
 * Which pages a process ever touched, by its pagemap: the rest of an area is
 * zero in parent and child alike, and may be far more than the machine has.
 */
#ifndef FF_LAZY_CHILD_TOUCHED_H
#define FF_LAZY_CHILD_TOUCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "host/page.h"

/* In the child: call @each for the runs of pages in [start, end) that the
 * parent touched; for all where its pagemap can't be opened. 0, or the first
 * -errno of a question or of @each. */
int ff_each_touched(uintptr_t start, uintptr_t end,
		    int (*each)(uintptr_t start, uintptr_t end, void *arg),
		    void *arg);

/* Is there something in place of @page, which can't be read: a guard? Where no
 * pagemap tells, there is, unless others may have changed what is mapped. */
bool ff_is_marker(uintptr_t page);

/* In the child: read the pages of [start, end) one by one; those that can't be
 * read are closed. 0, or -errno: one that was @asked for can't. */
int ff_read_pages_there(uintptr_t start, uintptr_t end,
			const struct ff_range *asked);

#endif
