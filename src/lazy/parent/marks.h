/* MADV_DONTFORK on the areas of a lazy fork, for the moment of its clone. */
#ifndef FF_LAZY_PARENT_MARKS_H
#define FF_LAZY_PARENT_MARKS_H

#include <stdbool.h>

#include "lazy/areas.h"

/*
 * Take the areas out of what clone copies. Left out of them is what the kernel
 * refuses, and what the program has advised itself; with @threads, that is
 * what was noted, and what others changed meanwhile is left out, too. 0, or
 * -errno of /proc/self/maps (nothing stays marked then).
 */
int ff_areas_mark(struct ff_areas *areas, bool threads);

/* Put them back. With @threads, marks that mremap() has carried elsewhere are
 * followed; @keep: what is ours, and stays marked. */
void ff_areas_unmark(const struct ff_areas *areas, bool threads,
		     const struct ff_keep *keep);

/*
 * Before a real fork, and before the program's first own MADV_DONTFORK, with
 * the gate held: a mark that may have escaped is looked for. Mostly there can
 * be none, and nothing is done.
 */
void ff_marks_sweep(void);

#endif
