/*
 * Queues of asynchronous I/O: through them the kernel writes to the memory of
 * a process at any time, also to pages that a child in borrowed memory has
 * written and that are put back.
 */
#ifndef FF_LEND_PARENT_RINGS_H
#define FF_LEND_PARENT_RINGS_H

#include <stdbool.h>

/* Has this process io_uring or AIO queues? True, too, where that can't be told.
 * Reads all of /proc/self/maps: to be asked now and then. */
bool ff_rings_are_mapped(void);

#endif
