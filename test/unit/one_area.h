/* A slot of one area of this process's own memory, which is what a child of it
 * would lack. */
#ifndef FF_TEST_ONE_AREA_H
#define FF_TEST_ONE_AREA_H

#include <sys/mman.h>

#include "lazy/slot.h"
#include "unit.h"

static inline unsigned char *one_area_map(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(memory, MAP_FAILED);
	return memory;
}

/* With its image, in which a child may write. */
static inline struct ff_slot *one_area_slot(unsigned char *memory, size_t bytes,
					    bool committed)
{
	struct ff_slot *slot = ff_slot_take();

	ck_assert_ptr_nonnull(slot);
	slot->committed = committed;
	slot->areas.count = 1;
	slot->areas.area[0].start = (uintptr_t)memory;
	slot->areas.area[0].end = (uintptr_t)memory + bytes;
	ff_slot_depict(slot);
	return slot;
}

#endif
