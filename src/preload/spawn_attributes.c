/*
 * Attributes. The object has a public layout, the same in every glibc: ours
 * and libc's can't be told apart, and need not be. All but the cgroup are
 * libc's own; only the flag for it must be let through where libc is older.
 */
#include <errno.h>

#include "host/next.h"
#include "preload/preload.h"
#include "preload/spawn.h"
#include "spawn/posix.h"

#define FLAGS                                                   \
	(POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP |         \
	 POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |       \
	 POSIX_SPAWN_SETSCHEDPARAM | POSIX_SPAWN_SETSCHEDULER | \
	 POSIX_SPAWN_USEVFORK | POSIX_SPAWN_SETSID | FF_SPAWN_SETCGROUP)

FF_EXPORT int posix_spawnattr_setflags(posix_spawnattr_t *attr, short flags)
{
	if (!ff_spawn_is_ours())
		return FF_NEXT(posix_spawnattr_setflags)(attr, flags);
	if (flags & ~FLAGS)
		return EINVAL;
	attr->__flags = flags;
	return 0;
}

FF_EXPORT int posix_spawnattr_getcgroup_np(const posix_spawnattr_t *attr,
					   int *cgroup)
{
	if (ff_spawn_is_ours()) {
		*cgroup = *ff_attr_cgroup((posix_spawnattr_t *)attr);
		return 0;
	}
	return FF_NEXT(posix_spawnattr_getcgroup_np) ?
		       FF_NEXT(posix_spawnattr_getcgroup_np)(attr, cgroup) :
		       ENOTSUP;
}

FF_EXPORT int posix_spawnattr_setcgroup_np(posix_spawnattr_t *attr, int cgroup)
{
	if (ff_spawn_is_ours()) {
		*ff_attr_cgroup(attr) = cgroup;
		return 0;
	}
	return FF_NEXT(posix_spawnattr_setcgroup_np) ?
		       FF_NEXT(posix_spawnattr_setcgroup_np)(attr, cgroup) :
		       ENOTSUP;
}
