/*
 * Tables of a process: mapped at first use, zero, and there from then on. A
 * child starts with a copy: what decides is in nobody else's hands.
 */
#ifndef FF_HOST_TABLE_H
#define FF_HOST_TABLE_H

#include <stdatomic.h>
#include <stddef.h>

/* The table that *place tells, of @bytes; NULL: no memory. Any context; no
 * lock. */
void *ff_table(_Atomic(void *) *place, size_t bytes);

#endif
