/* Pages, and ranges of addresses. */
#ifndef FF_HOST_PAGE_H
#define FF_HOST_PAGE_H

#include <stddef.h>
#include <stdint.h>

#define FF_PAGE ((uintptr_t)4096)
#define FF_HUGE_PAGE ((uintptr_t)2 << 20)

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

/* Of @count ranges that ascend, the first that ends behind @address; @count:
 * there is none. @ends is where the first range has its end, @stride how many
 * bytes behind that the next has its own. */
static inline unsigned ff_first_behind(uintptr_t address, const uintptr_t *ends,
				       size_t stride, unsigned count)
{
	unsigned low = 0, high = count, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (*(const uintptr_t *)((const char *)ends + mid * stride) >
		    address)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* The whole pages that [start, end) touches. */
static inline struct ff_range ff_pages_of(uintptr_t start, uintptr_t end)
{
	return (struct ff_range){ ff_page_floor(start), ff_page_ceiling(end) };
}

#endif
