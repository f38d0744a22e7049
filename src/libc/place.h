/*
 * Where we stand among the objects of the process. What forks must come
 * through us, or a fork that we do not see meets the marks of one that is
 * ours. So it is where we were loaded with the program and before libc:
 * preloaded, or linked in front of it. An object that comes later (dlopen) is
 * called by few; one in a namespace of its own (dlmopen) has another libc, and
 * another copy of us may be in the first one.
 */
#ifndef FF_LIBC_PLACE_H
#define FF_LIBC_PLACE_H

#include <stdbool.h>

/* In the program's own namespace, and searched before libc, which is one that
 * we know. Context: any; no system call. */
bool ff_comes_before_libc(void);

/* Does a libc that we know have it, and not another object? The same. */
bool ff_is_libcs(const void *address);

#endif
