/* MADV_DONTFORK or MADV_WIPEONFORK on the areas of a lazy fork, for the moment
 * of its clone. */
#ifndef FF_LAZY_PARENT_MARKS_H
#define FF_LAZY_PARENT_MARKS_H

#include <stdbool.h>

#include "lazy/areas.h"

/*
 * Take the areas out of what clone copies. Left out of them is what the kernel
 * refuses, and what the program has advised itself; with @threads, that is
 * what was noted, and what others changed meanwhile is left out, too. 0;
 * -EBUSY: a mark that is not wanted can't be taken away; or -errno of
 * /proc/self/maps. Nothing else stays marked then. From the first marks
 * on, ff_gate_sweep() looks for one that may have escaped; mostly there can be
 * none, and nothing is done.
 */
int ff_areas_mark(struct ff_areas *areas, bool threads);

/* Put them back. With @threads, marks that mremap() has carried elsewhere are
 * followed; @keep: what is ours, and stays marked. */
void ff_areas_unmark(const struct ff_areas *areas, bool threads,
		     const struct ff_keep *keep);

#endif
