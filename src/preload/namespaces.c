/* The names that decide which pid namespace children are born into, and which
 * files they find. */
#include <sched.h>
#include <unistd.h>

#include "host/pidns.h"
#include "lend/child/borrower.h"
#include "preload/next.h"
#include "preload/preload.h"
#include "ways/settings.h"

/*
 * A borrower becomes a fork by making its parent one child more, which must
 * not be the init of a namespace that the borrower has made: it is the fork
 * that makes it.
 */
FF_EXPORT int unshare(int flags)
{
	if (flags & CLONE_NEWPID)
		ff_own_memory("makes a pid namespace");
	ff_pidns_changes();
	return FF_NEXT(unshare)(flags);
}

FF_EXPORT int setns(int fd, int type)
{
	ff_own_memory("enters a namespace");
	ff_pidns_changes();
	return FF_NEXT(setns)(fd, type);
}

/* In a borrower the environment is its parent's. */
FF_EXPORT int chroot(const char *path)
{
	int rc = FF_NEXT(chroot)(path);

	if (!rc && !ff_is_borrower())
		ff_settings_root_is_another();
	return rc;
}
