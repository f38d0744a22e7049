/* What the lazy room asks of whoever drives it (fork.c). */
#ifndef FF_LAZY_HOOKS_H
#define FF_LAZY_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

struct ff_slot;

/* This process is new and on its own: forget what was the parent's. @own:
 * the slot it was made by, if it was lazy. Raw calls only. */
void ff_new_process(const struct ff_slot *own);

/* Is the page part of ours, which no two processes have alike? */
bool ff_is_ours(uintptr_t page);

/* Is it lazy binding that changes this word, by @difference: a slot that is
 * filled in when a function is first called, or the count of these? */
bool ff_is_binding(uintptr_t word, uint64_t difference);

#endif
