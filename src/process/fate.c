#include "process/fate.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <sys/wait.h>

#include "host/sys.h"

bool ff_has_ended(pid_t pid)
{
	siginfo_t info = { 0 };
	long rc = sys(waitid, P_PID, pid, &info,
		      WEXITED | WNOHANG | WNOWAIT | __WALL, NULL);

	return rc == -ECHILD || (rc == 0 && info.si_pid == pid);
}

/* POSIX, setpgid(): a child that has exec'ed is refused with EACCES; the group
 * is none that could be. */
static bool has_execed(pid_t pid)
{
	return sys(setpgid, pid, INT_MAX) == -EACCES;
}

bool ff_is_told(pid_t pid)
{
	siginfo_t info;

	return has_execed(pid) ||
	       sys(waitid, P_PID, pid, &info,
		   WEXITED | WNOHANG | WNOWAIT | __WALL, NULL) == -ECHILD;
}

bool ff_is_over(pid_t pid)
{
	return has_execed(pid) || ff_has_ended(pid);
}
