/*
 * Fetching everything, for a committed child that must not hold its parent
 * any longer. Only pages that the parent ever touched are read: the rest of
 * an area is zero in both, and may be far more than the machine has.
 */
#include <errno.h>
#include <sys/mman.h>

#include "host/sys.h"
#include "lazy/child.h"
#include "lazy/pager.h"

#define ENTRIES 512
#define PAGE_PRESENT ((uint64_t)1 << 63)
#define PAGE_SWAPPED ((uint64_t)1 << 62)

/* Read what the parent has of [start, end), which is accessible here. */
static int read_touched(uintptr_t start, uintptr_t end)
{
	uint64_t entry[ENTRIES];
	uintptr_t at, run;
	long got;
	size_t i, n;

	for (at = start; at < end; at += n * FF_PAGE) {
		n = (end - at) / FF_PAGE;
		if (n > ENTRIES)
			n = ENTRIES;
		got = sys(pread64, ff_child.pagemap, entry,
			  n * sizeof(entry[0]),
			  at / FF_PAGE * sizeof(entry[0]));
		if (got != (long)(n * sizeof(entry[0])))
			return got < 0 ? (int)got : -EIO;
		for (i = 0; i < n; i++) {
			run = i;
			while (i < n &&
			       entry[i] & (PAGE_PRESENT | PAGE_SWAPPED))
				i++;
			if (i == run)
				continue;
			got = ff_read_parent(at + run * FF_PAGE,
					     at + i * FF_PAGE);
			if (got < 0)
				return (int)got;
		}
	}
	return 0;
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
			rc = sys(mprotect, at, next - at,
				 a->prot | PROT_WRITE);
			if (rc >= 0)
				rc = read_touched(at, next);
			if (rc >= 0 && !(a->prot & PROT_WRITE))
				rc = sys(mprotect, at, next - at, a->prot);
		}
	}
	areas->count = 0;
	return rc < 0 ? (int)rc : 0;
}
