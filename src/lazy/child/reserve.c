/*
 * Runs in the child only, in the handler that it is born in, by raw calls.
 *
 * Hazards
 *  H-P1 The reservation replaces nothing (MAP_FIXED_NOREPLACE): where
 *       another thread of the parent mapped something meanwhile, the child
 *       has it and we must not. Where areas were marked to be wiped they are
 *       there, and looked at first (wiped.c).
 *  H-P4 A mapping gets its anon_vma with its first page; pieces that got one
 *       each never merge again, and mremap over them fails. A committed child
 *       can't be taken back for that: give all of the area one now.
 *  H-P6 Where memory is promised to the last page (overcommit_memory 2) it is
 *       promised when a mapping becomes writable, and stays so: all of it now,
 *       as fork does it, or a fetch may fail later.
 */
#include "lazy/child/reserve.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "arch/arch.h"
#include "host/fault.h"
#include "host/sys.h"
#include "lazy/child/child.h"
#include "lazy/child/wiped.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* H-P4, H-P6 */
static long make_certain(const struct ff_area *a)
{
	const size_t bytes = a->end - a->start;
	const int open = PROT_READ | PROT_WRITE;
	long rc = sys(mprotect, a->start, FF_PAGE, open);

	if (rc == 0) {
		/* before the rest is there, or it would be a huge page */
		*(volatile char *)a->start = 0;
		rc = sys(mprotect, a->start, bytes, open);
	}
	return rc == 0 ? sys(mprotect, a->start, bytes, PROT_NONE) : rc;
}

int ff_reserve(void)
{
	struct ff_areas *areas = ff_child.areas;
	size_t bits = 0;
	unsigned i;
	long at = areas->wiped ? ff_wiped_find(areas) : 0;

	if (at < 0)
		return (int)at;
	for (i = 0; i < areas->count; i++) {
		struct ff_area *a = &areas->area[i];

		at = sys(mmap, a->start, a->end - a->start, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
				 (areas->wiped ? MAP_FIXED :
						 MAP_FIXED_NOREPLACE),
			 -1, 0);
		if (at != (long)a->start || ff_fault(FF_FAULT_RESERVE))
			return ff_is_error(at) ? (int)at : -EEXIST;
		if (ff_child.committed && (at = make_certain(a)) < 0)
			return (int)at;
		a->first_cluster = a->start >> FF_CLUSTER_SHIFT;
		a->bit = bits;
		bits += ((a->end - 1) >> FF_CLUSTER_SHIFT) - a->first_cluster +
			1;
	}
	if (bits <= FF_PRESENT_BYTES * 8) {
		ff_child.present = ff_child.slot->present;
		ff_zero(ff_child.present, (bits + 63) / 64);
		return 0;
	}
	at = sys(mmap, NULL, bits / 8 + FF_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ff_is_error(at))
		return (int)at;
	ff_child.present = (uint64_t *)at;
	return 0;
}
