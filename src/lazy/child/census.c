/*
 * Runs in the child, right behind the clone, before its areas are reserved.
 *
 * Hazard
 *  H-A5 A child of a process with threads may find its areas moved, cut, grown
 *       or gone. On trial it is taken back; a committed one is the program's
 *       already. But the kernel's list of what is wiped is that of the moment
 *       of the clone, wherever another thread has carried a mark: what it has
 *       within the areas is an area, what it has elsewhere is read at once,
 *       and what is not wiped was copied.
 */
#include "lazy/child/census.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "host/identity.h"
#include "host/maps.h"
#include "host/smaps.h"
#include "host/sys.h"
#include "lazy/child/child.h"
#include "lazy/child/pager.h"
#include "process/noted.h"

/* The program's own, or ours: wiped for good. */
static bool stays_wiped(uintptr_t page)
{
	return ff_noted_wiped(page, page + FF_PAGE) ||
	       page == ff_identity_page();
}

/* Not marked by us, or not for this. */
static int fill(uintptr_t start, uintptr_t end, unsigned prot)
{
	long rc = sys(mprotect, start, end - start, PROT_READ | PROT_WRITE);

	if (rc == 0)
		rc = ff_read_touched(start, end);
	if (rc == 0 && prot != (PROT_READ | PROT_WRITE))
		rc = sys(mprotect, start, end - start, prot);
	return (int)rc;
}

struct census {
	const struct ff_areas *old;
	struct ff_area area[FF_AREAS_MAX];
	unsigned count;
};

static int keep(struct census *c, uintptr_t start, uintptr_t end,
		unsigned prot)
{
	if (c->count == FF_AREAS_MAX)
		return -ENOSPC;
	c->area[c->count++] =
		(struct ff_area){ .start = start, .end = end, .prot = prot };
	return 0;
}

/* [start, end) is wiped by our marks alone. */
static int take(struct census *c, uintptr_t start, uintptr_t end, unsigned prot)
{
	uintptr_t at = start, from, to;
	unsigned i;
	int rc = 0;

	for (i = 0; rc == 0 && i < c->old->count && at < end; i++) {
		from = c->old->area[i].start;
		to = c->old->area[i].end < end ? c->old->area[i].end : end;
		if (to <= at || from >= end)
			continue;
		if (from > at)
			rc = fill(at, from, prot);
		else
			from = at;
		if (rc == 0)
			rc = keep(c, from, to, prot);
		at = to;
	}
	return rc == 0 && at < end ? fill(at, end, prot) : rc;
}

/* Neighbours that are wiped for good are one mapping with what is ours. */
static int take_apart(struct census *c, const struct ff_mapping *m)
{
	uintptr_t at = m->start, from = 0;
	int rc = 0;

	if (!ff_noted_wiped(m->start, m->end) &&
	    (ff_identity_page() < m->start || ff_identity_page() >= m->end))
		return take(c, m->start, m->end, m->prot);
	for (; rc == 0 && at < m->end; at += FF_PAGE) {
		if (!stays_wiped(at)) {
			from = from ? from : at;
		} else if (from) {
			rc = take(c, from, at, m->prot);
			from = 0;
		}
	}
	return rc == 0 && from ? take(c, from, m->end, m->prot) : rc;
}

static int count_all(struct census *c)
{
	struct ff_smaps smaps;
	struct ff_mapping m;
	int rc = ff_smaps_open(&smaps);

	if (rc < 0)
		return rc;
	while ((rc = ff_smaps_next_wiped(&smaps, &m)) > 0) {
		if (m.shared || !m.anonymous)
			continue;
		rc = take_apart(c, &m);
		if (rc < 0)
			break;
	}
	ff_smaps_close(&smaps);
	return rc;
}

int ff_census(struct ff_areas *areas)
{
	struct census *c;
	unsigned i;
	long at;
	int rc;

	at = sys(mmap, NULL, sizeof(*c), PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ff_is_error(at))
		return (int)at;
	c = (struct census *)at;
	c->old = areas;
	rc = count_all(c);
	for (i = 0; rc == 0 && i < c->count; i++)
		areas->area[i] = c->area[i];
	if (rc == 0)
		areas->count = c->count;
	sys(munmap, c, sizeof(*c));
	return rc;
}
