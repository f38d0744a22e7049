/* The function an address lies in, static ones included. */
#ifndef FF_SITE_SYMBOL_H
#define FF_SITE_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libc/object.h"

/*
 * The name of the function in @object that has @address, cut to @size - 1
 * bytes; as it stands in the file, not demangled. False where the file has
 * no name for it or is not the one that was loaded. Async-signal-safe; one
 * caller at a time.
 */
bool ff_symbol_of(const struct ff_object *object, uintptr_t address, char *name,
		  size_t size);

#endif
