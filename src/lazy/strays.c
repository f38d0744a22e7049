/* Raw calls alone, on the handler's stack, so the buffers are static: the
 * child has one thread. Whatever can't be read is taken for much: so is what
 * a protection key closes to the program. But where it is closed to us as one
 * that gave up its rights, nothing is ever known, and the next child is lent on
 * trial: if it strays, that was the last one. Who names files would be lent
 * nothing for long (H-F5), so nobody counts. */
#include "lazy/strays.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "host/fault.h"
#include "host/maps.h"
#include "host/signals.h"
#include "host/sys.h"
#include "lazy/areas.h"
#include "lazy/child/child.h"
#include "lazy/slot.h"

#define ENTRIES 512
#define PRESENT ((uint64_t)1 << 63)
#define SWAPPED ((uint64_t)1 << 62)
#define EXCLUSIVE ((uint64_t)1 << 56)

static uint64_t entry[ENTRIES];
static char theirs[FF_PAGE];

/* How many pages of @n, from @at on, differ from the parent's. */
static uint32_t count_pages(uintptr_t at, size_t n)
{
	uint32_t count = 0;
	size_t i;

	for (i = 0; i < n; i++, at += FF_PAGE) {
		if (entry[i] & SWAPPED)
			return FF_STRAYS_UNKNOWN;
		if (!(entry[i] & PRESENT) || !(entry[i] & EXCLUSIVE))
			continue;
		if (!ff_may_read_word((void *)at) ||
		    sys(pread64, ff_child.mem, theirs, FF_PAGE, at) !=
			    (long)FF_PAGE)
			return FF_STRAYS_UNKNOWN;
		count += memcmp((void *)at, theirs, FF_PAGE) != 0;
	}
	return count;
}

static uint32_t count_mapping(long pagemap, const struct ff_mapping *m)
{
	uint32_t count = 0, more;
	uintptr_t at;
	size_t n;

	for (at = m->start; at < m->end; at += n * FF_PAGE) {
		n = (m->end - at) / FF_PAGE;
		if (n > ENTRIES)
			n = ENTRIES;
		if (sys(pread64, pagemap, entry, n * sizeof(*entry),
			at / FF_PAGE * sizeof(*entry)) !=
		    (long)(n * sizeof(*entry)))
			return FF_STRAYS_UNKNOWN;
		more = count_pages(at, n);
		if (more == FF_STRAYS_UNKNOWN ||
		    (count += more) > FF_STRAYS_MOST)
			return FF_STRAYS_UNKNOWN;
	}
	return count;
}

static bool is_stack(const struct ff_mapping *m, uintptr_t frame)
{
	return m->start <= frame && frame < m->end;
}

static uint32_t count_all(uintptr_t frame)
{
	uint32_t count = 0, more = 0;
	struct ff_mapping m;
	struct ff_maps maps;
	long pagemap;
	int rc = -1;

	pagemap = ff_fault(FF_FAULT_NO_MEM) ?
			  -EACCES :
			  sys(openat, AT_FDCWD, "/proc/self/pagemap",
			      O_RDONLY | O_CLOEXEC, 0);
	if (pagemap < 0)
		return pagemap == -EACCES ? 0 : FF_STRAYS_UNKNOWN;
	if (ff_maps_open(&maps) == 0) {
		while (more != FF_STRAYS_UNKNOWN &&
		       (rc = ff_maps_next(&maps, &m)) > 0) {
			more = 0;
			if (!m.shared && (m.prot & PROT_WRITE) &&
			    !is_stack(&m, frame))
				more = count_mapping(pagemap, &m);
			count += more;
		}
		ff_maps_close(&maps);
	}
	sys(close, pagemap);
	return rc == 0 && more != FF_STRAYS_UNKNOWN ? count : FF_STRAYS_UNKNOWN;
}

void ff_strays_count(void)
{
	const uintptr_t frame = ff_child.slot->frame;

	if (frame)
		atomic_store(&ff_child.shared->strays,
			     ff_child.names_files ? FF_STRAYS_UNKNOWN :
						    count_all(frame));
}
