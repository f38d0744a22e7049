/* Where a lazy child's memory comes from: its parent, or who stands in. */
#ifndef FF_LAZY_CHILD_SOURCE_H
#define FF_LAZY_CHILD_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read up to @bytes of what was at @start into the same place, which is
 * writable here. How many, or -errno (-EFAULT, -EIO: a guard, or no memory;
 * -ESRCH: nobody has it any more). */
long ff_source_read(uintptr_t start, size_t bytes);

/* Entries of the pagemap from the page at @start on; how many, or -errno
 * (-EBADF: it can't be opened). */
long ff_source_pagemap(uintptr_t start, uint64_t *entries, size_t count);

/* Does nobody change mappings there? */
bool ff_source_is_still(void);

#endif
