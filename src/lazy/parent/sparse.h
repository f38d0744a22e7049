/* Areas with hardly any memory in them, and the stacks of other threads. */
#ifndef FF_LAZY_PARENT_SPARSE_H
#define FF_LAZY_PARENT_SPARSE_H

#include "lazy/areas.h"

/*
 * Leave out areas that take nothing to copy: the stacks of other threads, above
 * all, deep ones, too. libc writes to each of them in the child, which would have
 * to fetch as many clusters, and goes through a list of them. @pagemap: a descriptor of this process's; -1, nothing is known.
 */
void ff_areas_drop_sparse(struct ff_areas *areas, int pagemap);

#endif
