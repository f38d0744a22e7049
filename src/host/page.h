/* Pages, and ranges of addresses. */
#ifndef FF_HOST_PAGE_H
#define FF_HOST_PAGE_H

#include <stdint.h>

#define FF_PAGE ((uintptr_t)4096)

/* In an entry of /proc/PID/pagemap: the page is present, or swapped out. */
#define FF_PAGE_IS_THERE ((uint64_t)3 << 62)

struct ff_range {
	uintptr_t start, end;
};

static inline uintptr_t ff_page_floor(uintptr_t address)
{
	return address & ~(FF_PAGE - 1);
}

static inline uintptr_t ff_page_ceiling(uintptr_t address)
{
	return ff_page_floor(address + FF_PAGE - 1);
}

/* The whole pages that [start, end) touches. */
static inline struct ff_range ff_pages_of(uintptr_t start, uintptr_t end)
{
	return (struct ff_range){ ff_page_floor(start), ff_page_ceiling(end) };
}

#endif
