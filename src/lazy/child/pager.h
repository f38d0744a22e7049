/*
 * Fetching absent memory from the parent, in the child. Called by the fault
 * handler and, before every system call, by the mediator.
 */
#ifndef FF_LAZY_CHILD_PAGER_H
#define FF_LAZY_CHILD_PAGER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lazy/areas.h"

/* Bring in every absent page of [start, start + len). 0, or -errno. */
int ff_fetch(uintptr_t start, size_t len);

/* Read [start, end) from the parent into the same addresses, which are
 * writable here. 0, or -errno. */
int ff_read_parent(uintptr_t start, uintptr_t end);

/* The same, but only pages that the parent ever touched: the others are zero
 * in both. There must be a pagemap to ask. */
int ff_read_touched(uintptr_t start, uintptr_t end);

/* Move *at to the next absent address of the area at or behind it; returns
 * where what is absent there ends. *at >= a->end: there is none. */
uintptr_t ff_absent_run(const struct ff_area *a, uintptr_t *at);

/* Bring in all of it that the parent ever touched. 0, or -errno. */
int ff_fetch_all(void);

/* Is all of the range part of one area, which is private memory as long as
 * nothing else is mapped there? */
bool ff_is_in_area(uintptr_t start, size_t len);

/* How much of the range is absent, in bytes. */
size_t ff_absent_bytes(uintptr_t start, size_t len);

/*
 * For a call that unmaps or maps over the range, or changes its protection:
 * edges() before it, forget() after it went well. edges
 * fetches what shares a cluster with what stays; 0, or -errno.
 */
int ff_fetch_edges(uintptr_t start, size_t len);
int ff_forget(uintptr_t start, size_t len);

/* Are there @len bytes to read, fetched already? They cross one page border at
 * most. */
bool ff_is_readable(uintptr_t start, size_t len);

void ff_on_sigsegv(int sig, siginfo_t *info, void *context);

#endif
