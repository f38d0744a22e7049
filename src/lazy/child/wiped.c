/*
 * What became of areas that were marked by MADV_WIPEONFORK (H-N4). Runs in the
 * child, right behind the clone: nobody but us changes its mappings, so the
 * kernel may be asked by advice that cuts a mapping in two where it is news.
 *
 *  in the child, where an area was         what it means
 *  the same mapping, wiped                 an area; reserved
 *  nothing                                 the program keeps it from its
 *                                          children, or it has moved or gone
 *  anything else                           others changed it: no child
 *
 *  elsewhere                               (looked at where an area is missing)
 *  private anonymous, wiped, not noted     an area has moved there: no child
 *                                          (but the page of host/identity.h)
 *
 * Where the child is committed, the kernel's own list is read instead of "no
 * child" (census.c).
 */
#include "lazy/child/wiped.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "host/identity.h"
#include "host/maps.h"
#include "host/sys.h"
#include "lazy/child/census.h"
#include "lazy/child/child.h"
#include "process/noted.h"

/* 1: as it was marked, 0: not there, or -errno. */
static int look_at(struct ff_maps *maps, struct ff_mapping *m,
		   const struct ff_area *a)
{
	int rc = ff_maps_find(maps, m, a->start);

	if (rc < 0)
		return rc;
	if (rc == 0 || m->start >= a->end)
		return 0;
	return m->start == a->start && m->end == a->end && m->anonymous &&
			       !m->shared && m->prot == a->prot ?
		       1 :
		       -EEXIST;
}

/* How many were as they were marked stay; *ret_missing: others were not. */
static int leave_missing(struct ff_areas *areas, bool *ret_missing)
{
	struct ff_mapping m = { 0 };
	unsigned i, kept = 0;
	struct ff_maps maps;
	int rc;

	/* News to what is not wiped: it is cut, and has another end. */
	for (i = 0; i < areas->count; i++)
		sys(madvise, areas->area[i].start, FF_PAGE, MADV_WIPEONFORK);
	rc = ff_maps_open(&maps);
	if (rc < 0)
		return rc;
	for (i = 0; i < areas->count; i++) {
		rc = look_at(&maps, &m, &areas->area[i]);
		if (rc < 0)
			break;
		if (rc > 0)
			areas->area[kept++] = areas->area[i];
	}
	ff_maps_close(&maps);
	*ret_missing = kept < areas->count;
	areas->count = kept;
	return rc < 0 ? rc : 0;
}

/* Of all mappings that are no areas: what they are, in a word. With @ask, the
 * first page of each is to be kept: news, if it is wiped. */
static int list(const struct ff_areas *areas, bool ask, uint64_t *ret_layout)
{
	struct ff_mapping m;
	struct ff_maps maps;
	int rc = ff_maps_open_whole(&maps);

	if (rc < 0)
		return rc;
	*ret_layout = FF_LAYOUT_OF_NONE;
	while ((rc = ff_maps_next(&maps, &m)) > 0) {
		if (m.shared || !m.anonymous ||
		    ff_areas_touch(areas, m.start, m.end - m.start) ||
		    ff_noted_wiped(m.start, m.end) ||
		    m.start == ff_identity_page())
			continue;
		ff_layout_add(ret_layout, &m);
		if (ask)
			sys(madvise, m.start, FF_PAGE, MADV_KEEPONFORK);
	}
	ff_maps_close(&maps);
	return rc;
}

/* 1: each is where it was; with @ask, and wiped, and no news is left. 0: not so,
 * or -errno. */
static int are_there(const struct ff_areas *areas, bool ask)
{
	const struct ff_area *a = areas->area;
	struct ff_mapping m = { 0 };
	struct ff_maps maps;
	int rc, all = 1;
	unsigned i;

	for (i = 0; ask && i < areas->count; i++)
		sys(madvise, a[i].start, FF_PAGE, MADV_WIPEONFORK);
	rc = ff_maps_open(&maps);
	if (rc < 0)
		return rc;
	for (i = 0; i < areas->count; i++) {
		rc = look_at(&maps, &m, &a[i]);
		if (rc < 0 && rc != -EEXIST)
			break;
		if (rc != 1)
			all = 0;
		if (rc != 1 && ask)
			sys(madvise, a[i].start, FF_PAGE, MADV_KEEPONFORK);
	}
	ff_maps_close(&maps);
	return rc < 0 && rc != -EEXIST ? rc : all;
}

/* H-A5 */
static int find_for_good(struct ff_areas *areas)
{
	int rc = are_there(areas, false);

	if (rc > 0)
		rc = are_there(areas, true);
	if (rc < 0)
		return rc;
	return rc > 0 ? 0 : ff_census(areas);
}

int ff_wiped_find(struct ff_areas *areas)
{
	uint64_t before = 0, now = 0;
	bool missing = false;
	int rc;

	if (ff_child.committed)
		return find_for_good(areas);
	rc = leave_missing(areas, &missing);

	if (rc < 0 || !missing)
		return rc;
	rc = list(areas, true, &before);
	if (rc == 0)
		rc = list(areas, false, &now);
	return rc == 0 && now != before ? -EEXIST : rc;
}
