/*
 * Choosing areas. Runs in the parent, in a SIGSYS handler with all signals
 * blocked and the gate held.
 *
 * Hazards
 *  H-A1 Other threads map and unmap meanwhile: marks.c looks again.
 *  H-A2 The program's own MADV_DONTFORK and MADV_WIPEONFORK: what is noted
 *       is left to the kernel, what is not is found by marks.c and wiped.c. So
 *       is memory that is wiped in children from the start (MAP_DROPPABLE,
 *       Linux 6.11).
 *  H-A3 Adjacent anonymous mappings merge, so an area may hold our own data,
 *       the thread's control block, or the stack in use: "keep" ranges are
 *       cut out, whatever mapping they lie in. Memory that the program
 *       shares may lie among them, and is watched all the same.
 *  H-A6 What is absent comes back without the protection key that it had, so
 *       nothing that has one is absent. No list of mappings tells who has one.
 *       A key that was freed, but is still on memory, is not seen.
 *  H-A7 Another file may have been mounted over the list of mappings. A list
 *       without the stack that this runs on is not ours, and of what it lacks
 *       shared memory would be written by a trial.
 */
#include "lazy/areas.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/arch.h"
#include "arch/hot.h"
#include "host/fault.h"
#include "host/maps.h"
#include "host/signals.h"
#include "host/sys.h"
#include "process/filter.h"
#include "process/noted.h"

#define AREA_MIN ((uintptr_t)1 << 20)
#define PIECE_MIN ((uintptr_t)64 << 10)
/* Copying page tables for this much costs what marking one more area does. */
#define WARM_GAP ((uintptr_t)256 << 10)
/* No program has this much; a sanitizer's runtime that is linked in does. */
#define SHADOW_MIN ((uintptr_t)4 << 40)
/* No program has memory there. */
#define KERNELS_OWN (-((uintptr_t)1 << 30))

static void add_piece(struct ff_areas *areas, uintptr_t start, uintptr_t end,
		      unsigned prot)
{
	struct ff_area *smallest = &areas->area[0], *a;
	unsigned i;

	if (start >= end || end - start < PIECE_MIN ||
	    ff_noted_any_in(start, end))
		return;
	if (areas->count < FF_AREAS_MAX) {
		a = &areas->area[areas->count++];
	} else {
		/* Full: the largest stay. */
		for (i = 1; i < areas->count; i++)
			if (areas->area[i].end - areas->area[i].start <
			    smallest->end - smallest->start)
				smallest = &areas->area[i];
		if (smallest->end - smallest->start >= end - start)
			return;
		areas->absent_bytes -= smallest->end - smallest->start;
		a = &areas->area[areas->count - 1];
		memmove(smallest, smallest + 1,
			(size_t)((char *)a - (char *)smallest));
	}
	*a = (struct ff_area){ .start = start, .end = end, .prot = prot };
	areas->absent_bytes += end - start;
}

unsigned ff_areas_first(const struct ff_areas *areas, uintptr_t address)
{
	return ff_first_behind(address, &areas->area[0].end,
			       sizeof(areas->area[0]), areas->count);
}

bool ff_areas_touch(const struct ff_areas *areas, uintptr_t start, size_t len)
{
	unsigned first = ff_areas_first(areas, start);

	return first < areas->count && start + len > start &&
	       areas->area[first].start < start + len;
}

/* What is not to be absent: sorted by start. */
struct cuts {
	unsigned count;
	struct ff_range range[FF_KEEP_MAX + FF_WARM_MAX];
};

/* Add what of a mapping lies outside the cuts. */
static void add_mapping(struct ff_areas *areas, const struct ff_mapping *m,
			const struct cuts *cuts)
{
	uintptr_t start = m->start;
	unsigned i;

	for (i = 0; i < cuts->count; i++) {
		if (cuts->range[i].end <= start)
			continue;
		if (cuts->range[i].start >= m->end)
			break;
		if (cuts->range[i].start > start)
			add_piece(areas, start, cuts->range[i].start, m->prot);
		start = cuts->range[i].end;
	}
	add_piece(areas, start, m->end, m->prot);
}

static void insert_cut(struct cuts *cuts, struct ff_range r)
{
	unsigned i;

	if (cuts->count == FF_KEEP_MAX + FF_WARM_MAX)
		return;
	for (i = cuts->count++; i > 0 && cuts->range[i - 1].start > r.start;
	     i--)
		cuts->range[i] = cuts->range[i - 1];
	cuts->range[i] = r;
}

static void make_cuts(struct cuts *cuts, const struct ff_keep *keep)
{
	struct ff_range *last = NULL, warm[FF_WARM_MAX];
	unsigned i, n = 0;

	cuts->count = 0;
	for (i = 0; i < keep->warm.count && i < FF_WARM_MAX; i++)
		insert_cut(cuts, (struct ff_range){ keep->warm.cluster[i],
						    keep->warm.cluster[i] +
							    FF_CLUSTER });
	for (i = 0; i < cuts->count; i++) {
		if (last && cuts->range[i].start - last->end <= WARM_GAP) {
			last->end = cuts->range[i].end;
		} else {
			last = &warm[n++];
			*last = cuts->range[i];
		}
	}
	cuts->count = 0;
	for (i = 0; i < n; i++)
		cuts->range[cuts->count++] = warm[i];
	for (i = 0; i < keep->count; i++)
		insert_cut(cuts, keep->range[i]);
}

bool ff_keeps_as_ours(const struct ff_keep *keep, const struct ff_mapping *m)
{
	unsigned i;

	for (i = 0; i < keep->ours; i++)
		if (keep->range[i].start <= m->start &&
		    m->end <= keep->range[i].end)
			return true;
	return false;
}

static bool is_candidate(const struct ff_mapping *m, uintptr_t stack)
{
	return m->anonymous && !m->shared && (m->prot & PROT_READ) &&
	       !(m->start <= stack && stack < m->end) &&
	       m->end - m->start >= AREA_MIN;
}

/*
 * Big memory that may not be written is rare, and most mappings of a process
 * are of that kind: they are listed now and then, and always where some was
 * found the last time. What is not listed is copied as fork does.
 */
#define LIST_ALL_EVERY 64

static _Atomic unsigned lists FF_HOT;
static _Atomic bool has_readonly FF_HOT;

void ff_layout_add(uint64_t *layout, const struct ff_mapping *m)
{
	const uint64_t words[] = { m->start, m->end };
	unsigned i;

	if (m->shared || !m->anonymous)
		return;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		*layout = (*layout ^ words[i]) * 0x100000001b3 ^ *layout >> 29;
}

int ff_areas_collect(struct ff_areas *areas, const struct ff_keep *keep)
{
	struct ff_mapping m;
	struct cuts cuts;
	struct ff_maps maps;
	bool all, readonly = false, is_ours = false;
	int rc;

	areas->count = 0;
	areas->shared_count = 0;
	areas->shared_code = false;
	areas->absent_bytes = 0;
	areas->layout = FF_LAYOUT_OF_NONE;
	make_cuts(&cuts, keep);
	rc = ff_fault(FF_FAULT_NO_MAPS) ? -ENOENT : ff_maps_open_whole(&maps);
	if (rc < 0)
		return rc;
	all = atomic_fetch_add(&lists, 1) % LIST_ALL_EVERY == 0 ||
	      atomic_load(&has_readonly);
	maps.writable = areas->writable = !all;
	while ((rc = ff_maps_next(&maps, &m)) > 0) {
		if (m.anonymous && (m.prot & PROT_WRITE) &&
		    m.end - m.start >= SHADOW_MIN) {
			rc = -EOVERFLOW;
			break;
		}
		is_ours |= m.start <= (uintptr_t)&m && (uintptr_t)&m < m.end;
		ff_layout_add(&areas->layout, &m);
		if (m.shared && (m.prot & PROT_WRITE)) {
			if (ff_keeps_as_ours(keep, &m))
				continue;
			if (areas->shared_count == FF_SHARED_MAX) {
				rc = -ENOSPC;
				break;
			}
			areas->shared_code |= (m.prot & PROT_EXEC) != 0;
			areas->shared[areas->shared_count++] =
				(struct ff_watched){ m.start, m.end, m.prot,
						     false };
		} else if (is_candidate(&m, keep->stack)) {
			add_mapping(areas, &m, &cuts);
			readonly |= !(m.prot & PROT_WRITE);
		}
	}
	ff_maps_close(&maps);
	if (all)
		atomic_store(&has_readonly, readonly);
	/* H-A7 */
	return rc == 0 && !is_ours ? -ENOENT : rc;
}

static void drop(struct ff_areas *areas,
		 bool (*is_wrong)(const struct ff_area *))
{
	unsigned i, kept = 0;

	for (i = 0; i < areas->count; i++) {
		if (is_wrong(&areas->area[i]))
			areas->absent_bytes -=
				areas->area[i].end - areas->area[i].start;
		else
			areas->area[kept++] = areas->area[i];
	}
	areas->count = kept;
}

/* No list of mappings tells. This changes no protection; what does not grow
 * refuses it. */
static bool grows_down(const struct ff_area *a)
{
	return sys(mprotect, a->start, FF_PAGE, a->prot | PROT_GROWSDOWN) == 0;
}

void ff_areas_drop_growing(struct ff_areas *areas)
{
	drop(areas, grows_down);
}

/* Whether it is the program's is asked before the kernel looks for a mapping,
 * which is not to be had there. */
static bool has_key(int key)
{
	return sys(pkey_mprotect, KERNELS_OWN, FF_PAGE, PROT_NONE, key) !=
	       -EINVAL;
}

static bool has_keys(void)
{
	int key;

	if (!ff_keys_possible())
		return false;
	if (!ff_filter_allows(FF_ASK_own_keys))
		return true;
	for (key = 1; key < FF_KEYS; key++)
		if (has_key(key))
			return true;
	return false;
}

static bool is_keyed(const struct ff_area *a)
{
	return !ff_has_common_key((const void *)a->start);
}

void ff_areas_drop_keyed(struct ff_areas *areas)
{
	if (has_keys())
		drop(areas, is_keyed);
}
