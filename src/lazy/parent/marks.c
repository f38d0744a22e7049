/*
 * Marking areas and taking the marks away. Runs in the parent, in a SIGSYS
 * handler with all signals blocked and the gate held, so that no fork of ours
 * meets the marks.
 *
 * Hazards
 *  H-N1 Other threads map and unmap meanwhile: after marking, every area is
 *       looked at again; a mapping of another kind in its place is left out.
 *       What appears later is found by the child, whose reservation does not
 *       replace anything.
 *  H-N2 mremap() by another thread waits while marks stand (gate.c), or it
 *       could find its memory cut in two by a mark on what was listed before it
 *       moved, and fail. That of realloc(), which copies where it fails, does
 *       not wait, and moves or grows a mapping with its mark. So all mappings
 *       there are are unmarked behind the clone, again while they change; what
 *       changed in between is unmarked once more before the next real fork.
 *  H-N3 The program's own advice moves with its memory, and may be given past
 *       us. Without threads the kernel is asked about each area: advice that
 *       is there already splits no mapping. With threads a mapping must not be
 *       split, not for a moment: an mremap() over both parts fails.
 *  H-N4 Nor can marks of ours be told from such advice when they are taken
 *       away (H-N2). A program that has threads and was seen to give
 *       MADV_DONTFORK has its areas marked by MADV_WIPEONFORK instead: then
 *       the kernel keeps both apart, wherever memory goes. The child has
 *       areas that are wiped, and none where the program wants none.
 *
 * What another thread does to memory between mark and clone, or clone and
 * unmark, where areas are marked to be wiped (else see H-N1, H-N2):
 *
 *  to an area          child (wiped.c)            parent
 *  mremap elsewhere    finds it missing, and the  sweep unmarks it there
 *                      mark where it is now:
 *                      real fork
 *  mremap, grows       finds another end: real    sweep unmarks all of it
 *  munmap              finds it missing           nothing is left
 *  mmap over it        finds it unmarked: real    not marked
 *  mprotect of a part  finds another end: real    sweep unmarks the parts
 *  madvise DONTFORK    waits for the unmarking, as does WIPEONFORK; made past
 *                      us: finds it missing       stays as advised
 *
 *  to the program's own MADV_DONTFORK, whatever it is: never touched by us.
 *  to its own MADV_WIPEONFORK, which is noted: never swept. mremap() and
 *  munmap() of it wait, so that no mark of ours comes to be where it was.
 */
#include "lazy/parent/marks.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "arch/hot.h"
#include "host/maps.h"
#include "host/newborn.h"
#include "host/sys.h"
#include "lazy/parent/advised.h"
#include "lazy/parent/refused.h"
#include "lazy/slot.h"
#include "process/filter.h"
#include "process/gate.h"
#include "process/noted.h"

#define ROUNDS 8
#define TRIES 20

/* Something changed while marks stood; ... and was not seen to be at rest
 * since. */
static _Atomic unsigned may_be_left FF_HOT, unsettled FF_HOT;

/* How the areas of a fork are marked. */
struct kind {
	int mark, unmark;
	unsigned left; /* its bit */
};

static const struct kind absent = { MADV_DONTFORK, MADV_DOFORK, 1 };
static const struct kind wiped = { MADV_WIPEONFORK, MADV_KEEPONFORK, 2 };

static const struct kind *kind_of(const struct ff_areas *areas)
{
	return areas->wiped ? &wiped : &absent;
}

static void unmark(const struct ff_area *a, const struct kind *kind)
{
	ff_mark_take_away(a->start, a->end, kind->unmark);
}

static void unmark_all(const struct ff_areas *areas)
{
	unsigned i;

	for (i = 0; i < areas->count; i++)
		unmark(&areas->area[i], kind_of(areas));
}

/* Marks may be anywhere. Where the list was closed by somebody (@why) they were
 * taken from where they were put: that others have moved them is unlikely. */
static void note_left(const struct kind *kind, int why)
{
	atomic_fetch_or(&may_be_left, kind->left);
	if (why == -EBADF)
		return;
	atomic_fetch_or(&unsettled, kind->left);
	ff_gate_note_unclean();
}

/* The first of what is ours in [start, end), or nothing at its end. */
static struct ff_range first_of_ours(const struct ff_keep *keep,
				     uintptr_t start, uintptr_t end)
{
	struct ff_range first = { end, end };
	unsigned i;

	for (i = 0; i < keep->ours; i++)
		if (keep->range[i].start < first.start &&
		    start < keep->range[i].end)
			first = keep->range[i];
	return first;
}

/* Unmarking whatever is there. */
struct sweep {
	const struct kind *kind;
	const struct ff_keep *keep;
	bool apart;	/* each mapping by itself */
	bool stopped;	/* at one in the middle, and not gone on behind it */
	unsigned count; /* of the mappings in the range */
	struct ff_range range;
};

static void flush(struct sweep *s)
{
	uintptr_t at = s->range.start;

	while (at < s->range.end) {
		struct ff_range ours = first_of_ours(s->keep, at, s->range.end);

		if (at < ours.start &&
		    ff_mark_take_away(at, ours.start, s->kind->unmark) ==
			    -EINVAL)
			s->stopped |= s->count > 1;
		at = ours.end;
	}
	s->count = 0;
	s->range = (struct ff_range){ 0, 0 };
}

/* What is adjacent is unmarked by one call, as stacks and their guards are. The
 * kernel's own mappings refuse it; they may be read alone. */
static void sweep_mapping(struct sweep *s, const struct ff_mapping *m)
{
	const bool joins =
		!s->apart && (m->prot == PROT_NONE || m->prot & PROT_WRITE);

	if (s->kind == &wiped && ff_noted_wiped(m->start, m->end))
		return;
	if (m->start != s->range.end || !joins) {
		flush(s);
		s->range.start = m->start;
	}
	s->range.end = m->end;
	s->count++;
	if (!joins)
		flush(s);
}

/* @writable: as they were listed, of those alone. */
static int sweep_once(struct sweep *s, bool writable, uint64_t *ret_layout)
{
	struct ff_mapping m;
	struct ff_maps maps;
	int rc = ff_maps_open_whole(&maps);

	if (rc < 0)
		return rc;
	*ret_layout = FF_LAYOUT_OF_NONE;
	/* a text has the others anyway, and what joins */
	maps.writable = writable && !maps.text;
	while ((rc = ff_maps_next(&maps, &m)) > 0) {
		if (!writable || m.prot & PROT_WRITE)
			ff_layout_add(ret_layout, &m);
		if (m.anonymous && !m.shared)
			sweep_mapping(s, &m);
	}
	flush(s);
	ff_maps_close(&maps);
	return rc;
}

/* Another thread that closes what it has not opened may close the list, too. */
static int sweep_to_the_end(struct sweep *s, bool writable,
			    uint64_t *ret_layout)
{
	int rc, tries = 0;

	do
		rc = sweep_once(s, writable, ret_layout);
	while (rc == -EBADF && ++tries < TRIES);
	return rc;
}

/* *ret_layout: what there was. */
static int sweep(const struct kind *kind, bool writable,
		 const struct ff_keep *keep, uint64_t *ret_layout)
{
	struct sweep s = { .kind = kind, .keep = keep };
	int rc = sweep_to_the_end(&s, writable, ret_layout);

	if (rc < 0 || !s.stopped)
		return rc;
	s.apart = true;
	return sweep_to_the_end(&s, writable, ret_layout);
}

void ff_areas_unmark(const struct ff_areas *areas, bool threads,
		     const struct ff_keep *keep)
{
	const struct kind *kind = kind_of(areas);
	uint64_t before = areas->layout, now;
	int round, rc;

	unmark_all(areas);
	if (!threads)
		return;
	rc = sweep(kind, areas->writable, keep, &now);
	if (rc == 0 && now == before && !ff_marks_are_refused())
		return;
	atomic_fetch_or(&may_be_left, kind->left);
	for (round = 0; round < ROUNDS && rc != -EBADF; round++) {
		before = now;
		rc = sweep(kind, false, keep, &now);
		if (rc == 0 && now == before)
			return;
	}
	note_left(kind, rc);
}

static void sweep_again(const struct kind *kind)
{
	struct ff_keep keep = { 0 };
	uint64_t layout;

	ff_pages_keep(&keep);
	ff_slots_keep(&keep);
	keep.ours = keep.count;
	if (sweep(kind, false, &keep, &layout) < 0) {
		atomic_fetch_or(&may_be_left, kind->left);
		return;
	}
	atomic_fetch_and(&unsettled, ~kind->left);
	if (ff_marks_are_refused())
		atomic_fetch_or(&may_be_left, kind->left);
}

/* A thread may have a filter that others have not. */
static bool may_sweep(void)
{
	return ff_filter_allows(FF_ASK_madvise_give) &&
	       ff_filter_allows(FF_ASK_madvise_unwipe);
}

/* What is only unlikely is no reason to let a fork fail. */
static bool sweep_what_is_left(void)
{
	unsigned left = 0;

	if ((ff_marks_are_refused() || atomic_load(&may_be_left)) &&
	    may_sweep()) {
		ff_mark_take_away_refused();
		left = atomic_exchange(&may_be_left, 0);
	}
	if (left & absent.left)
		sweep_again(&absent);
	if (left & wiped.left)
		sweep_again(&wiped);
	return !ff_marks_are_refused() && !atomic_load(&unsettled);
}

static void reset(void)
{
	atomic_store(&may_be_left, 0);
	atomic_store(&unsettled, 0);
	ff_noted_reset();
}
FF_IN_NEW_PROCESS(reset);

/* Is all of the area still private anonymous memory of the same kind? *m is
 * the mapping looked at last. -errno where the list can't be read. */
static int is_as_before(struct ff_maps *maps, struct ff_mapping *m,
			const struct ff_area *a)
{
	uintptr_t at = a->start;
	int rc = ff_maps_find(maps, m, at);

	while (rc > 0) {
		if (m->start > at || !m->anonymous || m->shared ||
		    m->prot != a->prot)
			return 0;
		at = m->end;
		if (at >= a->end)
			return 1;
		rc = ff_maps_next(maps, m);
	}
	return rc;
}

/* H-N1: leave out, and copy as fork does, what is not as it was. */
static int verify_areas(struct ff_areas *areas)
{
	struct ff_mapping m = { 0 };
	unsigned i, kept = 0;
	struct ff_maps maps;
	int rc = ff_maps_open(&maps);

	if (rc < 0)
		return rc;
	for (i = 0; i < areas->count; i++) {
		struct ff_area a = areas->area[i];

		rc = is_as_before(&maps, &m, &a);
		if (rc < 0)
			break;
		if (rc > 0) {
			areas->area[kept++] = a;
			continue;
		}
		unmark(&a, kind_of(areas));
		ff_areas_leave_out(areas, &a);
	}
	if (ff_maps_close(&maps) < 0)
		rc = -EBADF;
	if (rc >= 0)
		areas->count = kept;
	return rc < 0 ? rc : 0;
}

int ff_areas_mark(struct ff_areas *areas, bool threads)
{
	unsigned i, kept = 0;
	int rc;

	ff_gate_swept_by(sweep_what_is_left);
	rc = threads ? 0 : ff_areas_leave_advised(areas);
	if (rc < 0)
		return rc;
	for (i = 0; i < areas->count; i++) {
		struct ff_area a = areas->area[i];

		if (threads && ff_is_droppable(a.start)) {
			ff_areas_leave_out(areas, &a);
			continue;
		}
		if (ff_mark_give(a.start, a.end, kind_of(areas)->mark) == 0) {
			areas->area[kept++] = a;
			continue;
		}
		/* Refused, or with a hole in it by now. */
		unmark(&a, kind_of(areas));
		ff_areas_leave_out(areas, &a);
	}
	areas->count = kept;
	rc = threads ? verify_areas(areas) : 0;
	if (rc < 0)
		note_left(kind_of(areas), rc);
	/* What is left out would be missing in any child. */
	if (rc == 0 && ff_marks_are_refused())
		rc = -EBUSY;
	if (rc < 0)
		unmark_all(areas);
	return rc;
}
