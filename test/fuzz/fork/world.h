/*
 * The memory of the process that forks: regions of all kinds, with what the
 * kernel lets a program do to each page. A child's changes are its own.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include "rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
	WORLD_PAGE = 4096,
	WORLD_REGIONS = 8,
	WORLD_REGION_PAGES = 800,
	WORLD_BLOCKS = 64,
	WORLD_SLICES = 8,
	WORLD_SHARED = 5,    /* the region that children share */
	WORLD_MAPPED = 0x40, /* in region.page, beside PROT_* */
};

struct region {
	const char *name;
	char *at;
	unsigned pages;
	unsigned char page[WORLD_REGION_PAGES];
};

extern struct region world[WORLD_REGIONS];
extern char world_noise[3 * WORLD_PAGE]; /* for what is never the same */
extern char *world_block[WORLD_BLOCKS];	 /* of malloc */
extern size_t world_block_bytes[WORLD_BLOCKS];
extern char world_data[3 * WORLD_PAGE], world_bss[3 * WORLD_PAGE];
extern FILE *world_stream; /* of "target", with something unflushed */

/* Once, in the scene. */
void world_make(bool big);

/* Before each child: what children share with us is as it was. */
void world_restore(void);

/* Is all that is private of it as it was made? Nothing makes good what was
 * changed, so it may be asked of a slice in turn, which is an eighth of the
 * pages of all of it, and of the whole at the end. */
bool world_slice_is_untouched(void);
bool world_is_untouched(void);

/* A number for some bytes. */
uint64_t world_hash(const void *at, size_t bytes);

#endif
