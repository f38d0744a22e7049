#include "lazy/child/touched.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#include "host/page.h"
#include "host/sys.h"
#include "lazy/areas.h"
#include "lazy/child/pager.h"
#include "lazy/child/source.h"

#define ENTRIES 512
#define IS_SWAPPED ((uint64_t)1 << 62)

bool ff_is_marker(uintptr_t page)
{
	uint64_t entry;
	long rc = ff_source_pagemap(page, &entry, 1);

	if (rc == -EBADF)
		return ff_source_is_still();
	return rc == 1 && (entry & FF_PAGE_IS_THERE) == IS_SWAPPED;
}

int ff_each_touched(uintptr_t start, uintptr_t end,
		    int (*each)(uintptr_t start, uintptr_t end, void *arg),
		    void *arg)
{
	uint64_t entry[ENTRIES];
	uintptr_t at;
	size_t i, n, run;
	long rc;

	for (at = start; at < end; at += n * FF_PAGE) {
		n = (end - at) / FF_PAGE;
		if (n > ENTRIES)
			n = ENTRIES;
		rc = ff_source_pagemap(at, entry, n);
		if (rc == -EBADF)
			return each(at, end, arg);
		if (rc <= 0)
			return rc < 0 ? (int)rc : -EIO;
		n = (size_t)rc;
		for (i = 0; i < n; i++) {
			run = i;
			while (i < n && (entry[i] & FF_PAGE_IS_THERE))
				i++;
			if (i == run)
				continue;
			rc = each(at + run * FF_PAGE, at + i * FF_PAGE, arg);
			if (rc < 0)
				return (int)rc;
		}
	}
	return 0;
}

int ff_read_pages_there(uintptr_t start, uintptr_t end,
			const struct ff_range *asked)
{
	uintptr_t page;
	int rc;

	for (page = start; page < end; page += FF_PAGE) {
		rc = ff_read_parent(page, page + FF_PAGE);
		if (rc == 0)
			continue;
		if (page + FF_PAGE > asked->start && page < asked->end)
			return rc;
		rc = (int)sys(mprotect, page, FF_PAGE, PROT_NONE);
		if (rc < 0)
			return rc;
	}
	return 0;
}
