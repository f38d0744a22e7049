/*
 * Reading what the parent ever touched of a range: for a committed child
 * that must not hold its parent any longer.
 */
#include <stddef.h>

#include "lazy/child/pager.h"
#include "lazy/child/touched.h"

static int read_piece(uintptr_t start, uintptr_t end, void *unused)
{
	(void)unused;
	return ff_read_parent(start, end);
}

int ff_read_touched(uintptr_t start, uintptr_t end)
{
	return ff_each_touched(start, end, read_piece, NULL);
}
