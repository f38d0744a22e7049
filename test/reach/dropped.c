/*
 * Preloaded: a daemon that was root, and became nobody without exec. So it is
 * not dumpable, and what /proc has of it is root's. What it execs can be dumped,
 * until this is in it, too.
 */
#include <grp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NOBODY 65534

__attribute__((constructor)) static void drop(void)
{
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	     setresuid(NOBODY, NOBODY, NOBODY)))
		_exit(77);
	if (prctl(PR_SET_DUMPABLE, 0))
		_exit(77);
}
