/* Areas with hardly any memory in them. */
#ifndef FF_LAZY_PARENT_SPARSE_H
#define FF_LAZY_PARENT_SPARSE_H

#include "lazy/areas.h"

/*
 * Leave out areas that take nothing to copy: the stacks of other threads, above
 * all. libc writes to each of them in the child, which would have to fetch as
 * many clusters. @pagemap: a descriptor of this process's; -1, nothing is known.
 */
void ff_areas_drop_sparse(struct ff_areas *areas, int pagemap);

#endif
