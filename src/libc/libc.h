/* Which glibc this is, where its results changed from one to the next. */
#ifndef FF_LIBC_LIBC_H
#define FF_LIBC_LIBC_H

#include <stdbool.h>

/* Is it older than 2.@minor? Context: any; pure but for a static. */
bool ff_libc_is_before(int minor);

#endif
