/*
 * Access to memory that the child has reserved and went without.
 */
#ifndef FF_LAZY_CHILD_LIMIT_H
#define FF_LAZY_CHILD_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As mprotect(2); 0 or -errno. What a committed child has is not refused to it
 * for a limit that was set when it had it. */
int ff_limit_protect(uintptr_t start, size_t bytes, int prot);

/* Is there one, of data? */
bool ff_limit_is_there(void);

#endif
