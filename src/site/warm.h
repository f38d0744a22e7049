/* What children fetch of their parents' memory before exec. */
#ifndef FF_SITE_WARM_H
#define FF_SITE_WARM_H

#include <stdint.h>

#define FF_WARM_MAX 64
/* What is fetched, and remembered, at once. */
#define FF_CLUSTER_SHIFT 16
#define FF_CLUSTER ((uintptr_t)1 << FF_CLUSTER_SHIFT)

/* Clusters, by their addresses, that children touched before exec. */
struct ff_warm {
	unsigned count;
	uintptr_t cluster[FF_WARM_MAX];
};

#endif
