/* Whether a page of a private mapping of a file is a copy of it yet. */
#ifndef FF_LEND_COPIED_H
#define FF_LEND_COPIED_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The child, in a handler on a stack that has the fence's key, all keys open:
 * has somebody written to the page at @page, which is private, may be written
 * to, and has the common key? By the kernel's word; false, too, where it has
 * none. Raw calls alone; the page stays what it is.
 */
bool ff_is_copied(uintptr_t page);

#endif
