/* Memory for a committed child that is stopped and can't fetch it. */
#ifndef FF_LAZY_PUSH_H
#define FF_LAZY_PUSH_H

#include <stdbool.h>
#include <sys/types.h>

#include "lazy/slot.h"

/*
 * If the child is stopped, write all that is absent into its memory, so that
 * the parent may go on. False: it is not stopped, or can't be written to; the
 * caller keeps waiting.
 */
bool ff_push(struct ff_slot *slot, pid_t pid);

#endif
