#include "libc/libc.h"

#include "libc/weak.h"

FF_WEAK_NAMES(FF_WEAK)

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <link.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/rseq.h>
#include <sys/single_threaded.h>
#include <ucontext.h>

extern void *__libc_stack_end;
int __cxa_at_quick_exit(void (*handler)(void *), void *object);

#define NOT_KNOWN (-1)

/* Has it all names that a glibc that we know has? In a table each of them would
 * be looked up once more when a program starts. */
static bool has_all(void)
{
#define X(name) &&(const void *)&(name)
	return true FF_WEAK_NAMES(X);
#undef X
}

/* Of "2.36" the 36, whatever comes behind it. */
static int minor_of(const char *version)
{
	int minor = 0;

	if (!version || strncmp(version, "2.", 2) != 0)
		return NOT_KNOWN;
	for (version += 2; *version >= '0' && *version <= '9'; version++)
		if (minor < 1000)
			minor = 10 * minor + (*version - '0');
	return minor >= FF_LIBC_OLDEST && minor <= FF_LIBC_NEWEST ? minor :
								    NOT_KNOWN;
}

bool ff_libc_version_is_known(const char *version)
{
	return minor_of(version) != NOT_KNOWN;
}

const char *ff_libc_version(void)
{
	return gnu_get_libc_version ? gnu_get_libc_version() : NULL;
}

static int minor(void)
{
	static _Atomic int found; /* 2 + what it is; 0: nobody has asked */

	if (!atomic_load(&found))
		atomic_store(&found,
			     2 + (has_all() ? minor_of(ff_libc_version()) :
					      NOT_KNOWN));
	return atomic_load(&found) - 2;
}

bool ff_libc_is_known(void)
{
	return minor() != NOT_KNOWN;
}

bool ff_libc_is_before(int that)
{
	return ff_libc_is_known() && minor() < that;
}
