/* What a spawn must leave as it was in the process that calls it. */
#ifndef INJECT_KEEP_H
#define INJECT_KEEP_H

#include <stdbool.h>
#include <stddef.h>

/* So much more may be mapped than was noted. */
void keep_allow(size_t bytes);

/* Children of the interposer's own may be there, that a plain wait does not
 * find. */
void keep_to_plain_waits(void);

/* Note how the process is. */
void keep_note(void);

/* What has changed since, in words, and is not what was noted; NULL: nothing.
 * One stack for children may be mapped. */
const char *keep_changed(void);

#endif
