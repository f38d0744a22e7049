/*
 * Runs in the child only, in signal handlers. An area is a PROT_NONE mapping
 * (reserve.c); a cluster of 64 KiB becomes accessible when it is first
 * needed and is read from where the memory is (source.c).
 *
 * Hazards
 *  H-P2 The number of mappings is limited (65530): when a cluster can't be
 *       split off, a trial ends, and a committed child fetches all of the
 *       area.
 *  H-P3 A cluster at the edge of a range the program unmaps is fetched
 *       first, so that a bit always speaks for all of its cluster.
 *  H-P5 A page that can't be read is a guard (Linux 6.13), which is no
 *       mapping of its own, and which fork copies: the child gets a guard as
 *       well.
 *  H-P8 Another thread of the parent may have unmapped a part of a cluster
 *       since. A committed child can't be taken back for what it does not
 *       look at: it gets the rest, and that part is as if unmapped.
 */
#include "lazy/child/pager.h"

#include <errno.h>
#include <sys/mman.h>
#include <time.h>

#include "arch/arch.h"
#include "host/fault.h"
#include "host/sys.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"
#include "lazy/child/limit.h"
#include "lazy/child/source.h"
#include "lazy/child/touched.h"
#include "lazy/child/watched.h"
#include "lazy/trap.h"

#define CLUSTER FF_CLUSTER
/* A longer run is of one call's doing, and elsewhere the next time. */
#define WARM_RUN_MAX 4
#define RUN_MAX ((uintptr_t)2 << 20)

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static uintptr_t cluster_of(uintptr_t address)
{
	return address >> FF_CLUSTER_SHIFT;
}

static size_t bit_of(const struct ff_area *a, uintptr_t address)
{
	return a->bit + (cluster_of(address) - a->first_cluster);
}

static bool is_present(size_t bit)
{
	return (ff_child.present[bit / 64] >> (bit % 64)) & 1;
}

static void set_present(size_t bit)
{
	ff_child.present[bit / 64] |= (uint64_t)1 << (bit % 64);
}

static void set_all_present(const struct ff_area *a)
{
	uintptr_t c;

	for (c = cluster_of(a->start); c <= cluster_of(a->end - 1); c++)
		set_present(bit_of(a, c << FF_CLUSTER_SHIFT));
}

/* H-P5; the parent's death makes no guards, nor does a want of memory. */
static bool put_guard(uintptr_t page, long error)
{
	return (error == -EFAULT || error == -EIO) && page % FF_PAGE == 0 &&
	       ff_is_marker(page) &&
	       sys(madvise, page, FF_PAGE, MADV_GUARD_INSTALL) == 0;
}

/* Read [start, end) from the parent; the pages are writable here. */
int ff_read_parent(uintptr_t start, uintptr_t end)
{
	long got;

	if (ff_fault(FF_FAULT_FETCH))
		return -EIO;
	while (start < end) {
		got = ff_source_read(start, end - start);
		if (got <= 0 && put_guard(start, got))
			got = FF_PAGE;
		if (got <= 0)
			return got < 0 ? (int)got : -EIO;
		start += (uintptr_t)got;
	}
	return 0;
}

/* All of an area at once: one mapping of one kind, whatever the limit. What
 * the parent never touched is not read. */
static int bring_area(const struct ff_area *a)
{
	uintptr_t at = a->start, next;
	int rc = ff_limit_protect(a->start, a->end - a->start,
				  (int)a->prot | PROT_WRITE);

	for (; rc == 0 && at < a->end; at = next) {
		next = ff_absent_run(a, &at);
		if (at >= a->end)
			break;
		rc = ff_read_touched(at, next);
	}
	if (rc == 0 && !(a->prot & PROT_WRITE))
		rc = (int)sys(mprotect, a->start, a->end - a->start, a->prot);
	return rc;
}

int ff_fetch_all(void)
{
	struct ff_areas *areas = ff_child.areas;
	unsigned i;
	int rc = 0;

	for (i = 0; rc == 0 && i < areas->count; i++)
		rc = bring_area(&areas->area[i]);
	if (rc == 0)
		areas->count = 0;
	return rc;
}

static bool may_lack_pages(const struct ff_area *a, int error)
{
	return ff_child.committed && (a->prot & PROT_WRITE) &&
	       (error == -EFAULT || error == -EIO) && !ff_fault(FF_FAULT_FETCH);
}

/* Make [start, end) of an area accessible and read it. */
static int bring(const struct ff_area *a, uintptr_t start, uintptr_t end,
		 const struct ff_range *asked)
{
	int rc = ff_limit_protect(start, end - start,
				  (int)a->prot | PROT_WRITE);

	if (rc == 0)
		rc = ff_read_parent(start, end);
	if (may_lack_pages(a, rc))
		rc = ff_read_pages_there(start, end, asked);
	if (rc == 0 && !(a->prot & PROT_WRITE))
		rc = (int)sys(mprotect, start, end - start, a->prot);
	if (rc == 0)
		atomic_fetch_add_explicit(&ff_child.shared->fetched_bytes,
					  end - start, memory_order_relaxed);
	return rc;
}

/* For the next fork at this place: it may as well be copied. */
static void remember(uintptr_t first, uintptr_t behind)
{
	struct ff_warm *warm = &ff_child.shared->warm;

	if (behind - first > WARM_RUN_MAX)
		return;
	for (; first < behind && warm->count < FF_WARM_MAX; first++)
		warm->cluster[warm->count++] = first << FF_CLUSTER_SHIFT;
}

/* Bring in the absent clusters that touch [start, end) of an area, in runs
 * as long as they are absent. */
static int fetch_in(const struct ff_area *a, uintptr_t start, uintptr_t end)
{
	const struct ff_range asked = { start, end };
	uintptr_t c, run, last = cluster_of(end - 1), from, to;
	int rc;

	for (c = cluster_of(start); c <= last; c = run) {
		run = c + 1;
		if (is_present(bit_of(a, c << FF_CLUSTER_SHIFT)))
			continue;
		while (run <= last && (run - c) * CLUSTER < RUN_MAX &&
		       !is_present(bit_of(a, run << FF_CLUSTER_SHIFT)))
			run++;
		from = c << FF_CLUSTER_SHIFT;
		to = run << FF_CLUSTER_SHIFT;
		rc = bring(a, from < a->start ? a->start : from,
			   to > a->end ? a->end : to, &asked);
		if (rc < 0)
			return rc;
		remember(c, run);
		for (; c < run; c++)
			set_present(bit_of(a, c << FF_CLUSTER_SHIFT));
	}
	return 0;
}

/* What of an area lies in [start, end), which touches it. */
static struct ff_range part_in(const struct ff_area *a, uintptr_t start,
			       uintptr_t end)
{
	return (struct ff_range){ start > a->start ? start : a->start,
				  end < a->end ? end : a->end };
}

int ff_fetch(uintptr_t start, size_t len)
{
	struct ff_areas *areas = ff_child.areas;
	uintptr_t end = start + len;
	struct ff_range part;
	struct ff_area *a;
	unsigned i;
	int rc;

	if (len == 0 || end < start)
		return 0;
	for (i = ff_areas_first(areas, start);
	     i < areas->count && areas->area[i].start < end; i++) {
		a = &areas->area[i];
		part = part_in(a, start, end);
		rc = fetch_in(a, part.start, part.end);
		if (rc == -ENOMEM && ff_child.committed) { /* H-P2 */
			rc = bring_area(a);
			if (rc == 0)
				set_all_present(a);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

bool ff_is_in_area(uintptr_t start, size_t len)
{
	const struct ff_areas *areas = ff_child.areas;
	unsigned i = ff_areas_first(ff_child.areas, start);

	return i < areas->count && areas->area[i].start <= start &&
	       len <= areas->area[i].end - start;
}

size_t ff_absent_bytes(uintptr_t start, size_t len)
{
	struct ff_areas *areas = ff_child.areas;
	uintptr_t end = start + len, c;
	struct ff_range part;
	struct ff_area *a;
	size_t bytes = 0;
	unsigned i;

	if (len == 0 || end < start)
		return 0;
	for (i = ff_areas_first(areas, start);
	     i < areas->count && areas->area[i].start < end; i++) {
		a = &areas->area[i];
		part = part_in(a, start, end);
		for (c = cluster_of(part.start); c <= cluster_of(part.end - 1);
		     c++)
			if (!is_present(bit_of(a, c << FF_CLUSTER_SHIFT)))
				bytes += CLUSTER;
	}
	return bytes;
}

/* Cut [start, end) out of area @i; the next area to look at. */
static unsigned cut(unsigned i, uintptr_t start, uintptr_t end)
{
	struct ff_areas *areas = ff_child.areas;
	struct ff_area *a = &areas->area[i];
	unsigned j;

	if (start > a->start && end < a->end) {
		for (j = areas->count++; j > i; j--)
			areas->area[j] = areas->area[j - 1];
		areas->area[i].end = start;
		areas->area[i + 1].start = end;
		return i + 2;
	}
	if (start > a->start) {
		a->end = start;
		return i + 1;
	}
	if (end < a->end) {
		a->start = end;
		return i + 1;
	}
	for (j = i + 1; j < areas->count; j++)
		areas->area[j - 1] = areas->area[j];
	areas->count--;
	return i;
}

static struct ff_range whole_pages(uintptr_t start, size_t len)
{
	return ff_pages_of(start, start + len);
}

int ff_fetch_edges(uintptr_t start, size_t len)
{
	struct ff_range r = whole_pages(start, len);
	int rc = 0;

	if (r.end <= r.start)
		return 0;
	if (ff_child.areas->count == FF_AREAS_MAX + FF_AREAS_SPARE)
		return -ENOMEM;
	if (r.start & (CLUSTER - 1)) /* H-P3 */
		rc = ff_fetch(r.start, 1);
	if (rc == 0 && (r.end & (CLUSTER - 1)))
		rc = ff_fetch(r.end - 1, 1);
	return rc;
}

int ff_forget(uintptr_t start, size_t len)
{
	struct ff_areas *areas = ff_child.areas;
	struct ff_range r = whole_pages(start, len);
	unsigned i;
	int rc = ff_fetch_edges(start, len);

	if (rc < 0 || r.end <= r.start)
		return rc;
	for (i = ff_areas_first(areas, r.start);
	     i < areas->count && areas->area[i].start < r.end;)
		i = cut(i, r.start, r.end);
	return 0;
}

uintptr_t ff_absent_run(const struct ff_area *a, uintptr_t *at)
{
	uintptr_t c = cluster_of(*at), last = cluster_of(a->end - 1), end;

	while (c <= last && is_present(bit_of(a, c << FF_CLUSTER_SHIFT)))
		c++;
	if (c << FF_CLUSTER_SHIFT > *at)
		*at = c << FF_CLUSTER_SHIFT;
	while (c <= last && !is_present(bit_of(a, c << FF_CLUSTER_SHIFT)))
		c++;
	end = c << FF_CLUSTER_SHIFT;
	return end < a->end ? end : a->end;
}

/* Behind the end of a mapped file a look kills (SIGBUS), which can be taken back
 * only on trial. Elsewhere the kernel looks: at a word, which is in one page. */
static bool is_there(uintptr_t at)
{
	if (!ff_child.committed)
		return ff_peek((const void *)at) >= 0;
	return ff_may_read_word((const void *)(at & ~(uintptr_t)7));
}

bool ff_is_readable(uintptr_t start, size_t len)
{
	return is_there(start) && is_there(start + len - 1);
}

/* Where the fault is our own handler's, a committed child can't leave: it asks
 * again (H-C8). */
static int fetch_one(uintptr_t address)
{
	struct timespec pause = { 0, 1000L * 1000 };
	int i, rc = ff_fetch(address, 1);

	for (i = 1; rc < 0 && ff_child.committed && i < 8; i++) {
		sys(clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL);
		pause.tv_nsec *= 2;
		rc = ff_fetch(address, 1);
	}
	return rc;
}

void ff_on_sigsegv(int sig, siginfo_t *info, void *context)
{
	uintptr_t address = (uintptr_t)info->si_addr;
	ucontext_t *uc = context;
	int rc;

	(void)sig;
	ff_keys_as_in(uc); /* H-T8 */
	if (info->si_code == SEGV_ACCERR && ff_absent_bytes(address, 1)) {
		rc = fetch_one(address);
		atomic_fetch_add_explicit(&ff_child.shared->faults, 1,
					  memory_order_relaxed);
		if (rc < 0)
			ff_child_leave(uc, FF_REASON_MEMORY, -1);
		return;
	}
	if (ff_peek_fixup(uc))
		return;
	if (info->si_code <= 0) { /* no fault: somebody sent it */
		ff_child_foreign(uc, info);
		return;
	}
	if (info->si_code == SEGV_ACCERR && !ff_child.committed &&
	    ff_is_watched(address))
		ff_child_leave(uc, FF_REASON_SHARED, -1);
	ff_child_leave(uc, FF_REASON_CRASH, -1);
}
