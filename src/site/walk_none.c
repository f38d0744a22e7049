/* Built without libunwind's headers: call sites have no callers. */
#include "site/walk.h"

const char *ff_walk_library = "";

bool ff_walk_prepare(void)
{
	return false;
}

unsigned ff_walk_callers(uintptr_t site, uintptr_t *ret_callers, unsigned most)
{
	(void)site;
	(void)ret_callers;
	(void)most;
	return 0;
}
