/* Areas that the program, or the kernel, keeps from children. */
#ifndef FF_LAZY_PARENT_ADVISED_H
#define FF_LAZY_PARENT_ADVISED_H

#include "lazy/areas.h"

/*
 * Leave them out. Without threads only: each area is cut in two for a moment. 0,
 * or -errno of /proc/self/maps.
 */
int ff_areas_leave_advised(struct ff_areas *areas);

/* One that the list had is not to be absent. */
void ff_areas_leave_out(struct ff_areas *areas, const struct ff_area *a);

#endif
