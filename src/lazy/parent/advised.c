/*
 * Runs in the parent, in a SIGSYS handler with all signals blocked and the gate
 * held, by raw calls.
 */
#include "lazy/parent/advised.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "host/maps.h"
#include "host/page.h"
#include "lazy/parent/refused.h"

void ff_areas_leave_out(struct ff_areas *areas, const struct ff_area *a)
{
	areas->absent_bytes -= a->end - a->start;
}

/* H-N3. Up to here the area is to be DONTFORK, and up to there WIPEONFORK. To
 * split it within a huge page would split that. */
static uintptr_t first_border(const struct ff_area *a)
{
	if (a->end - a->start > 3 * FF_HUGE_PAGE)
		return (a->start + FF_HUGE_PAGE) & ~(FF_HUGE_PAGE - 1);
	return a->start + FF_PAGE;
}

static uintptr_t second_border(const struct ff_area *a)
{
	return first_border(a) +
	       (a->end - a->start > 3 * FF_HUGE_PAGE ? FF_HUGE_PAGE : FF_PAGE);
}

/* False: it is not to be had, and nothing has changed. */
static bool split(const struct ff_area *a)
{
	/* Where the second is not to be had, was the first one ours? It is
	 * left, and found by the look at the borders. */
	return ff_mark_give(a->start, first_border(a), MADV_DONTFORK) == 0 &&
	       ff_mark_give(a->start, second_border(a), MADV_WIPEONFORK) == 0;
}

/*
 * Undo split(), and say whether the area is free of advice. Known by where the
 * mapping @m that holds the first border begins and ends: at both borders, if
 * neither advice was there before.
 */
static bool join(const struct ff_area *a, const struct ff_mapping *m,
		 bool is_split)
{
	const uintptr_t first = first_border(a), second = second_border(a);
	bool was_marked = m->start != first, was_wiped = m->end != second;

	if (is_split && !was_wiped)
		ff_mark_take_away(a->start, second, MADV_KEEPONFORK);
	if (!was_marked)
		ff_mark_take_away(a->start, first, MADV_DOFORK);
	return is_split && !was_marked && !was_wiped;
}

/* H-N3: leave out what the program, or the kernel, keeps from children. All of
 * it is split first, so that a text has to be read once. */
int ff_areas_leave_advised(struct ff_areas *areas)
{
	uint64_t is_split[FF_AREAS_MAX / 64 + 1] = { 0 };
	struct ff_mapping m = { 0 };
	unsigned i, kept = 0;
	struct ff_maps maps;
	int rc = ff_maps_open(&maps);

	if (rc < 0)
		return rc;
	for (i = 0; i < areas->count; i++)
		if (split(&areas->area[i]))
			is_split[i / 64] |= (uint64_t)1 << i % 64;
	for (i = 0; i < areas->count; i++) {
		struct ff_area a = areas->area[i];
		struct ff_mapping at;

		/* Unreadable: then as if nothing had been there. */
		rc = rc < 0 ? rc : ff_maps_find(&maps, &m, first_border(&a));
		at = m;
		if (rc <= 0)
			at = (struct ff_mapping){ .start = first_border(&a),
						  .end = second_border(&a) };
		if (join(&a, &at, is_split[i / 64] >> i % 64 & 1) && rc > 0)
			areas->area[kept++] = a;
		else
			ff_areas_leave_out(areas, &a);
	}
	ff_maps_close(&maps);
	areas->count = kept;
	return rc < 0 ? rc : 0;
}
