/* Stacks for children, kept for the next one. */
#ifndef FF_SPAWN_PARENT_STACK_H
#define FF_SPAWN_PARENT_STACK_H

/*
 * The top of a stack of FF_CHILD_STACK_BYTES with a guard page below. Returns
 * 0, or -errno of the mmap. It is the caller's until ff_stack_put().
 * Context: any thread, signal handlers, a fork's child; no lock.
 */
long ff_stack_take(void **ret_top);

void ff_stack_put(void *top);

#endif
