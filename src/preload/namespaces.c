/* The names that decide which pid namespace children are born into. */
#include <sched.h>

#include "host/next.h"
#include "host/pidns.h"
#include "preload/preload.h"

FF_EXPORT int unshare(int flags)
{
	ff_pidns_changes();
	return FF_NEXT(unshare)(flags);
}

FF_EXPORT int setns(int fd, int type)
{
	ff_pidns_changes();
	return FF_NEXT(setns)(fd, type);
}
