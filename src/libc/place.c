#include "libc/place.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <stddef.h>

static const struct link_map *map_of(const void *address)
{
#ifdef DLFO_STRUCT_HAS_EH_DBASE
	struct dl_find_object found;

	return _dl_find_object((void *)address, &found) ? NULL :
							  found.dlfo_link_map;
#else
	struct link_map *map;
	Dl_info info;

	return dladdr1(address, &info, (void **)&map, RTLD_DL_LINKMAP) ? map :
									 NULL;
#endif
}

bool ff_comes_before_libc(void)
{
	static const char here;
	const struct link_map *libc = map_of((void *)gnu_get_libc_version),
			      *us = map_of(&here), *m;

	/* What is loaded with the program is listed as it is searched; what
	 * comes later, behind. */
	for (m = us; m && m != libc; m = m->l_next)
		;
	if (!m)
		return false;
	for (m = us; m->l_prev; m = m->l_prev)
		;
	return m == _r_debug.r_map;
}
