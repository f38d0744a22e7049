/*
 * The dynamic linker's own lock-free look-up, glibc 2.35 and later. dladdr()
 * would wait for a thread that is in dlopen(), which may wait for us.
 */
#include "libc/object.h"

#include "libc/weak.h"

FF_WEAK(_dl_find_object)

#include <dlfcn.h>
#include <link.h>
#include <string.h>

bool ff_object_of(uintptr_t address, struct ff_object *ret_object)
{
#ifdef DLFO_STRUCT_HAS_EH_DBASE
	struct dl_find_object found;
	const struct link_map *map;

	if (!_dl_find_object || _dl_find_object((void *)address, &found))
		return false;
	map = found.dlfo_link_map;
	ret_object->start = (uintptr_t)found.dlfo_map_start;
	ret_object->end = (uintptr_t)found.dlfo_map_end;
	ret_object->bias = map->l_addr;
	ret_object->eh_frame_hdr = (uintptr_t)found.dlfo_eh_frame;
	ret_object->path =
		map->l_name && *map->l_name ? map->l_name : FF_PROGRAM;
	return true;
#else
	(void)address;
	(void)ret_object;
	return false;
#endif
}

const struct ff_frame_table *ff_frame_table_of(const struct ff_object *object)
{
	/* version 1; pcrel | sdata4, udata4, datarel | sdata4 */
	static const uint8_t usual[] = { 1, 0x1b, 0x03, 0x3b };
	const struct ff_frame_table *table;

	table = (const struct ff_frame_table *)object->eh_frame_hdr;
	if (!table || memcmp(table, usual, sizeof(usual)) != 0)
		return NULL;
	return table;
}
