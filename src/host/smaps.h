/* The mappings of this process that its children have without their contents
 * (MADV_WIPEONFORK), by the kernel's word, /proc/self/smaps. Raw system calls
 * only; for when all else does not tell: it takes long. */
#ifndef FF_HOST_SMAPS_H
#define FF_HOST_SMAPS_H

#include <stdint.h>

#include "host/maps.h"

struct ff_smaps {
	struct ff_held file;
	unsigned have, at;
	uint64_t from;
	char buffer[2048];
};

/* 0 or -errno. */
int ff_smaps_open(struct ff_smaps *smaps);
/* The next of them, unless it is so from birth (MAP_DROPPABLE): 1 and
 * *ret_mapping, 0 at the end, or -errno. */
int ff_smaps_next_wiped(struct ff_smaps *smaps, struct ff_mapping *ret_mapping);
void ff_smaps_close(struct ff_smaps *smaps);

#endif
