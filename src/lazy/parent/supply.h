/*
 * Giving a lazy child the memory that it asks for, by words in the image:
 * lazy/child/source.c is the other side. The waiting parent does it, or who
 * stands in for it; whose turn it is says the word `source`.
 */
#ifndef FF_LAZY_PARENT_SUPPLY_H
#define FF_LAZY_PARENT_SUPPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "host/held.h"
#include "lazy/slot.h"

struct ff_supply {
	struct ff_slot *image;	      /* the child's, where we have it */
	const struct ff_areas *areas; /* what it went without */
	enum ff_source who;	      /* we are */
	struct ff_held mem, pagemap;  /* ours, if they are there */
	uint32_t answered;	      /* the number of the last question */
	uint32_t asked, source;	      /* as seen last */
};

/* @image and @areas are borrowed; @areas must not be in shared memory. */
void ff_supply_begin(struct ff_supply *supply, struct ff_slot *image,
		     const struct ff_areas *areas, enum ff_source who);

/* Keep descriptors ready, for who has nobody to hide them from. */
void ff_supply_open(struct ff_supply *supply);

/* Is there a question for us? */
bool ff_supply_is_asked(struct ff_supply *supply);
void ff_supply_answer(struct ff_supply *supply);

/*
 * Sleep for @ns at most, until there is a question that was not there when
 * is_asked() looked, or the child's word is not @owner any more: the kernel
 * marks that a little before the child is another program or no more.
 */
void ff_supply_sleep(const struct ff_supply *supply, uint32_t owner,
		     int64_t ns);

/* Open the caller's memory, or the list of its pages, if it is that, and hold
 * it: 0; or -errno, and then none is held. */
int ff_open_memory(struct ff_held *ret_held);
int ff_open_pagemap(struct ff_held *ret_held);

/* Does it work without a descriptor? */
bool ff_can_supply(void);

#endif
