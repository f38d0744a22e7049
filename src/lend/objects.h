/*
 * The writable data of the objects that the program was started with; these
 * are never unloaded. What is asked of it is where a word lies.
 */
#ifndef FF_LEND_OBJECTS_H
#define FF_LEND_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the constructor: takes the dynamic linker's lock. */
void ff_objects_prepare(void);

/* The writable pages of this object itself. */
void ff_own_data(uintptr_t *ret_start, uintptr_t *ret_end);

/*
 * Words that a child in borrowed memory must leave as they are: some of all
 * data of these objects, and the list that environ is. Every change there is
 * noticed with the chance that a word of it was chosen.
 */
#define FF_GUARDS 1024
struct ff_guard {
	unsigned count;
	uintptr_t at[FF_GUARDS];
	uint64_t value[FF_GUARDS];
};

void ff_guard_take(struct ff_guard *guard);

/* Put back what was changed; how many words. Only where no other thread could
 * have changed them. */
unsigned ff_guard_put_back(const struct ff_guard *guard);

#endif
