#include "libc/libc.h"

#include <gnu/libc-version.h>
#include <stdatomic.h>
#include <stdlib.h>

bool ff_libc_is_before(int minor)
{
	static _Atomic int known; /* 1 + the minor number */
	const char *version;
	char *end;
	long major;

	if (!atomic_load(&known)) {
		version = gnu_get_libc_version();
		major = strtol(version, &end, 10);
		atomic_store(&known,
			     major > 2	 ? 1000 :
			     *end == '.' ? 1 + (int)strtol(end + 1, NULL, 10) :
					   1);
	}
	return atomic_load(&known) - 1 < minor;
}
