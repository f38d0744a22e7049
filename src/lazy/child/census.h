/* What a committed child was born without, by the kernel's word. */
#ifndef FF_LAZY_CHILD_CENSUS_H
#define FF_LAZY_CHILD_CENSUS_H

#include "lazy/areas.h"

/*
 * Areas were marked by MADV_WIPEONFORK, and other threads have changed them
 * since: leave of them what is still as it was marked, and fill whatever else
 * is wiped. 0 or -errno.
 */
int ff_census(struct ff_areas *areas);

#endif
