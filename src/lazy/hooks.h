/* What the lazy room asks of whoever drives it (fork.c). */
#ifndef FF_LAZY_HOOKS_H
#define FF_LAZY_HOOKS_H

struct ff_slot;

/* This process is new and on its own: forget what was the parent's. @own:
 * the slot it was made by, if it was lazy. Raw calls only. */
void ff_new_process(const struct ff_slot *own);

#endif
