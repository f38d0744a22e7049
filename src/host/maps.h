/* The mappings of this process, one after the other: PROCMAP_QUERY where the
 * kernel has it (Linux 6.11), the text of /proc/self/maps elsewhere. Raw
 * system calls only. */
#ifndef FF_HOST_MAPS_H
#define FF_HOST_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "host/held.h"

/* The number of PROCMAP_QUERY, which new headers alone have. */
#define FF_MAPS_QUERY 0xc0686611UL

struct ff_mapping {
	uintptr_t start, end;
	unsigned prot;
	bool shared;
	bool anonymous;
};

/* PROT_* of the text that /proc has of them. */
static inline unsigned ff_prot_of(const char *flags)
{
	return (flags[0] == 'r' ? PROT_READ : 0) |
	       (flags[1] == 'w' ? PROT_WRITE : 0) |
	       (flags[2] == 'x' ? PROT_EXEC : 0);
}

struct ff_maps {
	struct ff_held file;
	bool text;
	bool whole;	/* all will be read */
	bool writable;	/* no others; may be set */
	bool shared;	/* the same */
	unsigned count; /* of answers or lines */
	uintptr_t next; /* query: the address to look from; may be set */
	/* text reader */
	unsigned have, at;
	uint64_t from;
	char buffer[4096]; /* the kernel gives no more at once */
};

/* 0 or -errno. */
int ff_maps_open(struct ff_maps *maps);
/* The same, to read all of it: by its text where there are many, which takes
 * the kernel half as long. */
int ff_maps_open_whole(struct ff_maps *maps);
/* Were there many the last time? */
bool ff_maps_are_many(void);
/* 1 and *ret_mapping, 0 at the end, or -errno: what was told before an error may
 * not be true (host/held.h). */
int ff_maps_next(struct ff_maps *maps, struct ff_mapping *ret_mapping);
/* The first that ends behind @at, by ascending addresses; *mapping is the one
 * looked at before, empty at first. */
int ff_maps_find(struct ff_maps *maps, struct ff_mapping *mapping,
		 uintptr_t at);
/* -EBADF: as above. */
int ff_maps_close(struct ff_maps *maps);

/* Is @page wiped in children, and no advice can change that (MAP_DROPPABLE,
 * Linux 6.11)? To ask takes MADV_WIPEONFORK away: not where that was noted. */
bool ff_is_droppable(uintptr_t page);

#endif
