#include "preload/next.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "arch/hot.h"

#define FF_NAME(name, why) #name,
static const char *const names[] = {
#include "preload/names.def"
};
#undef FF_NAME

__attribute__((visibility("hidden"))) void *ff_next_of[FF_NEXT_COUNT] FF_HOT;

void *ff_next_find(enum ff_next which)
{
	void *found = dlsym(RTLD_NEXT, names[which]);

	if (!found)
		dlerror(); /* it is not the program's to find */
	__atomic_store_n(&ff_next_of[which], found, __ATOMIC_RELEASE);
	return found;
}

/* Names that libcs in use lack: asking for one costs an error message, which
 * is allocated. They are looked for when they are called. */
static const bool is_late[FF_NEXT_COUNT] = {
	[FF_NEXT_pidfd_spawn] = true,
	[FF_NEXT_pidfd_spawnp] = true,
};

void ff_next_find_all(void)
{
	static _Atomic bool done FF_HOT;
	int i;

	if (done)
		return;
	for (i = 0; i < FF_NEXT_COUNT; i++)
		if (!ff_next_of[i] && !is_late[i])
			ff_next_find((enum ff_next)i);
	done = true;
}
