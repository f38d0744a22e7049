/* Where the two come from. */
#include "impl.h"
#include "scene.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool impl_differ;
struct impl impl_ours = { .name = "ours" }, impl_libc = { .name = "libc" };

static void find_in(struct impl *impl, void *handle)
{
#define X(f) impl->f = (__typeof__(impl->f))dlsym(handle, #f);
	IMPL_FUNCTIONS(X)
#undef X
	if (!impl->posix_spawn_file_actions_addchdir)
		impl->posix_spawn_file_actions_addchdir =
			impl->posix_spawn_file_actions_addchdir_np;
	if (!impl->posix_spawn_file_actions_addfchdir)
		impl->posix_spawn_file_actions_addfchdir =
			impl->posix_spawn_file_actions_addfchdir_np;
}

static bool is(const char *name, const char *value)
{
	const char *now = getenv(name);

	return now && !strcmp(now, value);
}

void impl_find(void)
{
	char *argv[] = { NULL };
	int fd;

	find_in(&impl_ours, RTLD_DEFAULT);
	find_in(&impl_libc, scene_libc());
	impl_differ = impl_ours.posix_spawn != impl_libc.posix_spawn &&
		      !is("FLATFORK", "off") && !is("FLATFORK_SPAWN", "libc");
	/* switched off, ours has no more than libc has */
	if (impl_ours.pidfd_spawn &&
	    impl_ours.pidfd_spawn(&fd, "/", NULL, NULL, argv, argv) == ENOSYS)
		impl_ours.pidfd_spawn = NULL;
}
