/* Filled in by hand: no allocation, no stdio, for forks in signal handlers.
 * Only called where a log is wanted. */
#include "site/name.h"

#include <dlfcn.h>
#include <stdint.h>

#include "tell/line.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *ff_site_name(const void *address, char *buffer)
{
	struct ff_line line = ff_line_start(buffer, FF_SITE_NAME_MAX);
	Dl_info info = { 0 };
	uintptr_t base = 0;

	if (dladdr(address, &info) && info.dli_fname) {
		ff_line_foreign(&line, base_name(info.dli_fname), 64);
		base = (uintptr_t)info.dli_fbase;
	}
	ff_line_str(&line, "+0x");
	ff_line_unsigned(&line, (uintptr_t)address - base, 16);
	buffer[line.used] = 0;
	return buffer;
}
