/*
 * Fetching everything, for a committed child that must not hold its parent
 * any longer. Only pages that the parent ever touched are read: the rest of
 * an area is zero in both, and may be far more than the machine has.
 */
#include <stddef.h>
#include <sys/mman.h>

#include "host/sys.h"
#include "lazy/child.h"
#include "lazy/pager.h"
#include "lazy/touched.h"

static int read_piece(uintptr_t start, uintptr_t end, void *unused)
{
	(void)unused;
	return ff_read_parent(start, end);
}

int ff_fetch_all(void)
{
	struct ff_areas *areas = ff_child.areas;
	uintptr_t at, next;
	unsigned i;
	long rc = 0;

	for (i = 0; rc >= 0 && i < areas->count; i++) {
		const struct ff_area *a = &areas->area[i];

		for (at = a->start; rc >= 0 && at < a->end; at = next) {
			next = ff_absent_run(a, &at);
			if (at >= a->end)
				break;
			rc = sys(mprotect, at, next - at, a->prot | PROT_WRITE);
			if (rc >= 0)
				rc = ff_each_touched(ff_child.pagemap, at, next,
						     read_piece, NULL);
			if (rc >= 0 && !(a->prot & PROT_WRITE))
				rc = sys(mprotect, at, next - at, a->prot);
		}
	}
	areas->count = 0;
	return rc < 0 ? (int)rc : 0;
}
