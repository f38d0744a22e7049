/*
 * Preloaded: a daemon that was root, and became nobody without exec. So it is
 * not dumpable, and what /proc has of it is root's. What it execs can be dumped,
 * until this is in it, too. With T_HIDEPID in the environment /proc hides it
 * from all others, its own children's helpers among them.
 */
#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#define NOBODY 65534

static void hide(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, "hidepid=2"))
		_exit(77);
}

__attribute__((constructor)) static void drop(void)
{
	if (geteuid() == 0) {
		if (getenv("T_HIDEPID"))
			hide();
		if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
		    setresuid(NOBODY, NOBODY, NOBODY))
			_exit(77);
	}
	if (prctl(PR_SET_DUMPABLE, 0))
		_exit(77);
}
