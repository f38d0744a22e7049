/* The callers of a call site, by libunwind. The only user of it. */
#ifndef FF_SITE_WALK_H
#define FF_SITE_WALK_H

#include <stdbool.h>
#include <stdint.h>

/* What is loaded; tests name something else. */
extern const char *ff_walk_library;

/*
 * Loads and sets up the library. Only in a constructor: allocates, and must
 * be alone in the process. False, and no walk ever, where that fails.
 */
bool ff_walk_prepare(void);

/*
 * The return addresses above @site, which is itself the return address of a
 * frame of the running stack: at most @most of them, nearest first. Returns
 * how many; 0 also where there was no way through to @site.
 * Async-signal-safe; one caller at a time.
 */
unsigned ff_walk_callers(uintptr_t site, uintptr_t *ret_callers, unsigned most);

#endif
