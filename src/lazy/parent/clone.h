/* The parent's half of a lazy fork. */
#ifndef FF_LAZY_PARENT_CLONE_H
#define FF_LAZY_PARENT_CLONE_H

#include "lazy/slot.h"

/* How the next lazy forks are made; set by whoever drives. */
extern unsigned ff_budget_ms;

#endif
