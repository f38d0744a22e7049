/*
 * Runs in the child on trial, in a signal handler, by raw calls.
 *
 * Hazard
 *  H-C1 The child's writes to shared mappings can't be taken back: on trial
 *       they are read-only.
 */
#include "lazy/child/watched.h"

#include <errno.h>
#include <sys/mman.h>

#include "host/maps.h"
#include "host/sys.h"
#include "lazy/child/child.h"

bool ff_meets_watched(uintptr_t start, size_t len)
{
	const struct ff_areas *areas = ff_child.areas;
	uintptr_t end = start + len < start ? UINTPTR_MAX : start + len;
	unsigned i;

	for (i = 0; i < areas->shared_count; i++)
		if (areas->shared[i].start < end &&
		    start < areas->shared[i].end)
			return true;
	return false;
}

bool ff_is_watched(uintptr_t address)
{
	return ff_meets_watched(address, 1);
}

/*
 * H-C6 What the program keeps from its children (MADV_DONTFORK) is listed as
 *      shared in the parent, and is not there: all of a range, or a piece.
 */
static long watch_what_is_there(void)
{
	struct ff_mapping m;
	struct ff_maps maps;
	long rc = ff_maps_open(&maps);

	if (rc < 0)
		return rc;
	while ((rc = ff_maps_next(&maps, &m)) > 0) {
		if (!m.shared || !(m.prot & PROT_WRITE) ||
		    !ff_is_watched(m.start))
			continue;
		rc = sys(mprotect, m.start, m.end - m.start, PROT_READ);
		if (rc < 0)
			break;
	}
	ff_maps_close(&maps);
	return rc;
}

long ff_watch_shared(void)
{
	const struct ff_areas *areas = ff_child.areas;
	const struct ff_range *r;
	unsigned i;
	long rc = 0;

	for (i = 0; rc == 0 && i < areas->shared_count; i++) {
		r = &areas->shared[i];
		/* Our own are not among them: ff_slots_keep(). */
		rc = sys(mprotect, r->start, r->end - r->start, PROT_READ);
	}
	return rc == -ENOMEM ? watch_what_is_there() : rc;
}

void ff_unwatch_shared(void)
{
	struct ff_mapping m;
	struct ff_maps maps;

	if (ff_maps_open(&maps) < 0)
		return;
	while (ff_maps_next(&maps, &m) > 0)
		if (m.shared && m.prot == PROT_READ && ff_is_watched(m.start))
			sys(mprotect, m.start, m.end - m.start,
			    PROT_READ | PROT_WRITE);
	ff_maps_close(&maps);
}
