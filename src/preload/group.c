/*
 * What a parent does to its child before that execs. It fails where the child
 * has exec'ed already, which is here before fork returns: whoever is seen to
 * come too late gets real forks from then on.
 *
 * Rule: where the child is in that group already, it went there itself, as the
 * children of shells do, and nobody was too late.
 */
#include <errno.h>
#include <unistd.h>

#include "host/sandbox.h"
#include "host/sys.h"
#include "lend/child/borrower.h"
#include "preload/next.h"
#include "preload/preload.h"
#include "process/filter.h"
#include "process/stance.h"
#include "site/site.h"

/* Asked by a call that the program did not make: what its filter may end it for
 * is not made. */
static bool is_elsewhere(pid_t pid, pid_t group)
{
	bool is = false;

	if (!ff_is_on() || ff_is_borrower() || !ff_flight_begin())
		return false;
	if (ff_filter_allows(FF_ASK_getpgid))
		is = sys(getpgid, pid) != (group ? group : pid);
	ff_flight_end();
	return is;
}

FF_EXPORT int setpgid(pid_t pid, pid_t group)
{
	int rc = FF_NEXT(setpgid)(pid, group);

	/* EACCES is said of children that exec'ed, and of nothing else. */
	if (rc < 0 && errno == EACCES && is_elsewhere(pid, group))
		ff_site_came_too_late(pid);
	return rc;
}
