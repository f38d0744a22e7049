/* Shared memory that a child on trial may not write. */
#ifndef FF_LAZY_CHILD_WATCHED_H
#define FF_LAZY_CHILD_WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From now on what is shared is read-only. 0, or -errno. */
long ff_watch_shared(void);
/* Those that are as that left them are writable again. */
void ff_unwatch_shared(void);
/* Could that be done now? Not without a list of mappings: behind chroot(), or
 * where no descriptor is to be had. */
bool ff_can_unwatch_shared(void);

/* Is @address in shared memory that a child on trial may not write? */
bool ff_is_watched(uintptr_t address);
/* Is any of the range? */
bool ff_meets_watched(uintptr_t start, size_t len);

#endif
