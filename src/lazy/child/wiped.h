/* Areas that a lazy child has, but without their contents. */
#ifndef FF_LAZY_CHILD_WIPED_H
#define FF_LAZY_CHILD_WIPED_H

#include "lazy/areas.h"

/*
 * In the child, before its areas are reserved: leave out what the program keeps
 * from its children, which isn't here. 0, or -errno: it was not all as it is
 * said to be.
 */
int ff_wiped_find(struct ff_areas *areas);

#endif
