/* The parent's half of a lazy fork. */
#ifndef FF_LAZY_CLONE_H
#define FF_LAZY_CLONE_H

#include <stdbool.h>

#include "lazy/slot.h"

/* How the next lazy forks are made; set by whoever drives. */
extern unsigned ff_budget_ms;

/* Is there another thread that could change mappings under us? */
bool ff_may_have_threads(void);

#endif
