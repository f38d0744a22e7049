#include "libc/place.h"

#include "libc/libc.h"
#include "libc/weak.h"

FF_WEAK(_dl_find_object)
FF_WEAK(_r_debug)
FF_WEAK(gnu_get_libc_version)

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
	(void)address;
	return NULL;
#endif
}

bool ff_comes_before_libc(void)
{
	static const char here;
	const struct link_map *libc, *us, *m;

	if (!ff_libc_is_known())
		return false;
	libc = map_of((void *)gnu_get_libc_version);
	us = map_of(&here);

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

bool ff_is_libcs(const void *address)
{
	const struct link_map *libc;

	if (!ff_libc_is_known())
		return false;
	libc = map_of((void *)gnu_get_libc_version);
	return libc && map_of(address) == libc;
}
