#include "lazy/touched.h"

#include <errno.h>
#include <stddef.h>

#include "host/sys.h"
#include "lazy/areas.h"

#define ENTRIES 512
#define IS_THERE ((uint64_t)3 << 62) /* present, or swapped out */
#define IS_SWAPPED ((uint64_t)1 << 62)

bool ff_is_marker(int pagemap, uintptr_t page)
{
	uint64_t entry;

	return sys(pread64, pagemap, &entry, sizeof(entry),
		   page / FF_PAGE * sizeof(entry)) == (long)sizeof(entry) &&
	       (entry & IS_THERE) == IS_SWAPPED;
}

int ff_each_touched(int pagemap, uintptr_t start, uintptr_t end,
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
		rc = sys(pread64, pagemap, entry, n * sizeof(entry[0]),
			 at / FF_PAGE * sizeof(entry[0]));
		if (rc != (long)(n * sizeof(entry[0])))
			return rc < 0 ? (int)rc : -EIO;
		for (i = 0; i < n; i++) {
			run = i;
			while (i < n && (entry[i] & IS_THERE))
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
