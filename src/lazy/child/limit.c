/*
 * Runs in the child only, by raw calls.
 *
 * Hazard
 *  H-C9 What is reserved is not counted as data (RLIMIT_DATA), and is when it
 *       becomes accessible. No fork is lazy where data is limited, but somebody
 *       else may limit it later: another thread of the parent, or any process
 *       (prlimit). Fork's child has its memory by then. So such a limit is
 *       lifted for the moment in which a committed child gets its own, as far
 *       as it may be: over a hard one by who has CAP_SYS_RESOURCE alone.
 */
#include "lazy/child/limit.h"

#include <errno.h>
#include <sys/resource.h>

#include "host/sys.h"
#include "lazy/child/child.h"

static long set(const struct rlimit *limit)
{
	return sys(prlimit64, 0, RLIMIT_DATA, limit, NULL);
}

static struct rlimit get(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	sys(prlimit64, 0, RLIMIT_DATA, NULL, &limit);
	return limit;
}

bool ff_limit_is_there(void)
{
	return get().rlim_cur != RLIM_INFINITY;
}

int ff_limit_protect(uintptr_t start, size_t bytes, int prot)
{
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	long rc = sys(mprotect, start, bytes, prot);
	struct rlimit was, most;

	if (rc != -ENOMEM || !ff_child.committed)
		return (int)rc;
	was = get();
	most = (struct rlimit){ was.rlim_max, was.rlim_max };
	if (was.rlim_cur == RLIM_INFINITY || (set(&none) < 0 && set(&most) < 0))
		return (int)rc;
	rc = sys(mprotect, start, bytes, prot);
	set(&was);
	return (int)rc;
}
