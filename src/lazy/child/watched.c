/*
 * Runs in the child on trial, in a signal handler, by raw calls.
 *
 * Hazards
 *  H-C1 The child's writes to shared mappings can't be taken back: on trial
 *       they are read-only. Some devices don't let what is written be made
 *       read-only: it is not accessible at all then, and who reads it ends
 *       the trial. What can't be closed either has no child on trial.
 *  H-C6 What is not inherited is listed as shared in the parent, and is not
 *       there: all of a range, or a piece. The program keeps it from its
 *       children (MADV_DONTFORK), or its device does (VM_DONTCOPY: CUDA, RDMA,
 *       perf). What the child maps there is its own.
 */
#include "lazy/child/watched.h"

#include <errno.h>
#include <sys/mman.h>

#include "host/fault.h"
#include "host/maps.h"
#include "host/sys.h"
#include "lazy/child/child.h"

/* The first range that ends behind @address. */
static unsigned first_range(uintptr_t address)
{
	const struct ff_areas *areas = ff_child.areas;

	return ff_first_behind(address, &areas->shared[0].end,
			       sizeof(areas->shared[0]), areas->shared_count);
}

bool ff_meets_watched(uintptr_t start, size_t len)
{
	const struct ff_areas *areas = ff_child.areas;
	uintptr_t end = start + len < start ? UINTPTR_MAX : start + len;
	unsigned i = first_range(start);

	return i < areas->shared_count && areas->shared[i].start < end;
}

bool ff_is_watched(uintptr_t address)
{
	return ff_meets_watched(address, 1);
}

static long watch(struct ff_watched *r, uintptr_t start, uintptr_t end)
{
	long rc = ff_fault(FF_FAULT_NO_READONLY) ?
			  -EACCES :
			  sys(mprotect, start, end - start, PROT_READ);

	if (rc != -EACCES)
		return rc;
	r->closed = true;
	return sys(mprotect, start, end - start, PROT_NONE);
}

/* A piece of a range that is a mapping, or part of one. */
static struct ff_range piece_of(const struct ff_watched *r,
				const struct ff_mapping *m)
{
	return (struct ff_range){ m->start > r->start ? m->start : r->start,
				  m->end < r->end ? m->end : r->end };
}

/* Watch what is there of a range, and cut it down to that; holes within stay
 * part of it. *m is the mapping looked at last. 1, 0: nothing is there, or
 * -errno. */
static long watch_pieces(struct ff_maps *maps, struct ff_mapping *m,
			 struct ff_watched *r)
{
	struct ff_range piece, all = { r->end, r->start };
	long rc = ff_maps_find(maps, m, r->start);

	for (; rc > 0 && m->start < r->end; rc = ff_maps_next(maps, m)) {
		if (!m->shared)
			continue;
		piece = piece_of(r, m);
		if (all.start >= all.end)
			all.start = piece.start;
		all.end = piece.end;
		if (m->prot & PROT_WRITE)
			rc = watch(r, piece.start, piece.end);
		if (rc < 0)
			return rc;
	}
	r->start = all.start;
	r->end = all.end;
	return rc < 0 ? rc : all.start < all.end;
}

/* H-C6 */
static long watch_what_is_there(void)
{
	struct ff_areas *areas = ff_child.areas;
	struct ff_mapping m = { 0 };
	struct ff_watched r;
	struct ff_maps maps;
	unsigned i, kept = 0;
	long rc = ff_maps_open(&maps);

	if (rc < 0)
		return rc;
	for (i = 0; rc >= 0 && i < areas->shared_count; i++) {
		r = areas->shared[i];
		rc = watch_pieces(&maps, &m, &r);
		if (rc > 0)
			areas->shared[kept++] = r;
	}
	ff_maps_close(&maps);
	if (rc >= 0)
		areas->shared_count = kept;
	return rc < 0 ? rc : 0;
}

long ff_watch_shared(void)
{
	struct ff_areas *areas = ff_child.areas;
	struct ff_watched *r;
	bool holes = false;
	unsigned i;
	long rc;

	for (i = 0; i < areas->shared_count; i++) {
		r = &areas->shared[i];
		/* Our own are not among them: ff_slots_keep(). */
		rc = watch(r, r->start, r->end);
		if (rc < 0 && rc != -ENOMEM)
			return rc;
		holes |= rc < 0;
	}
	return holes ? watch_what_is_there() : 0;
}

bool ff_can_unwatch_shared(void)
{
	struct ff_maps maps;

	if (ff_child.areas->shared_count == 0)
		return true;
	if (ff_maps_open(&maps) < 0)
		return false;
	ff_maps_close(&maps);
	return true;
}

static bool is_as_left(const struct ff_mapping *m, const struct ff_watched *r)
{
	return m->shared &&
	       (m->prot == PROT_READ || (m->prot == PROT_NONE && r->closed));
}

void ff_unwatch_shared(void)
{
	const struct ff_areas *areas = ff_child.areas;
	const struct ff_watched *r = areas->shared;
	struct ff_mapping m = { 0 };
	struct ff_range piece;
	struct ff_maps maps;
	long rc;

	if (ff_maps_open(&maps) < 0)
		return;
	for (; r < areas->shared + areas->shared_count; r++) {
		rc = ff_maps_find(&maps, &m, r->start);
		for (; rc > 0 && m.start < r->end;
		     rc = ff_maps_next(&maps, &m)) {
			piece = piece_of(r, &m);
			if (is_as_left(&m, r))
				sys(mprotect, piece.start,
				    piece.end - piece.start, r->prot);
		}
	}
	ff_maps_close(&maps);
}
