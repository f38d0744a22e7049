/*
 * Which memory a lazy child goes without: private anonymous mappings of a
 * megabyte and more. Filled by the parent just before the clone; the child's
 * copy is then the pager's table of what is still absent.
 */
#ifndef FF_LAZY_AREAS_H
#define FF_LAZY_AREAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/page.h"
#include "site/warm.h"

#define FF_AREAS_MAX 1024
#define FF_AREAS_SPARE 64
#define FF_SHARED_MAX 4096
#define FF_KEEP_MAX 80 /* two for each slot, and a few */

struct ff_area {
	uintptr_t start, end; /* page-aligned */
	unsigned prot;	      /* PROT_* of the parent's mapping */
	/* Child: the bit of the cluster that holds start, as it was when the
	 * area was reserved; bits are counted from that cluster on. */
	size_t bit;
	uintptr_t first_cluster;
};

/* A writable shared mapping: a child on trial may not write there. */
struct ff_watched {
	uintptr_t start, end;
	unsigned prot; /* of the parent's mapping */
	bool closed;   /* child: some of it may not be read either */
};

/* What private anonymous mappings there are, in a word. */
#define FF_LAYOUT_OF_NONE ((uint64_t)0xcbf29ce484222325)

struct ff_areas {
	unsigned count, shared_count;
	bool shared_code; /* some of the shared ones may be executed */
	uint64_t absent_bytes;
	uint64_t layout; /* when they were listed: of the writable ones ... */
	bool writable;	 /* ... alone? */
	bool wiped;	 /* marked by MADV_WIPEONFORK (marks.c) */
	/* By ascending address; the spare ones are for cutting in two. */
	struct ff_area area[FF_AREAS_MAX + FF_AREAS_SPARE];
	/* By ascending address. */
	struct ff_watched shared[FF_SHARED_MAX];
};

/* Memory that must come along whatever mapping it lies in: ours, and what is
 * better copied as fork does than fetched. */
struct ff_keep {
	uintptr_t stack; /* an address in the main stack, which is kept */
	unsigned count;
	unsigned ours; /* the first ones: flatfork's own memory */
	struct ff_range range[FF_KEEP_MAX];
	struct ff_warm warm;
};

/*
 * List the areas of this process. Context: any; raw system calls only.
 * Returns 0, or -errno of /proc/self/maps (-ENOSPC: too many shared
 * mappings to watch, -EOVERFLOW: a sanitizer's shadow memory).
 */
int ff_areas_collect(struct ff_areas *areas, const struct ff_keep *keep);

struct ff_mapping;
/* Does it lie in flatfork's own memory? */
bool ff_keeps_as_ours(const struct ff_keep *keep, const struct ff_mapping *m);
void ff_layout_add(uint64_t *layout, const struct ff_mapping *mapping);

/*
 * Leave out what grows downwards (MAP_GROWSDOWN): a reservation does not. Not
 * for a child on trial, whose growing is a fault that ends it.
 */
void ff_areas_drop_growing(struct ff_areas *areas);

/* Leave out what has a protection key of the program's, or can't be read.
 * Context: any; raw system calls only. */
void ff_areas_drop_keyed(struct ff_areas *areas);

/* The index of the first area that ends behind @address, or their count: they
 * are sorted and disjoint. */
unsigned ff_areas_first(const struct ff_areas *areas, uintptr_t address);

/* Does [start, start + len) meet an area? */
bool ff_areas_touch(const struct ff_areas *areas, uintptr_t start, size_t len);

#endif
