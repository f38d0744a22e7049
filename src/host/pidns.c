#include "host/pidns.h"

#include <fcntl.h>
#include <stdatomic.h>

#include "host/hot.h"
#include "host/sandbox.h"
#include "host/sys.h"

/*
 * Asking costs some per cent of a vfork. The answer changes by unshare() and
 * setns() alone, so where those are watched and were not called, one is good
 * for the life of the program: threads have their creator's namespaces.
 */
enum {
	NOT_WATCHED,
	UNKNOWN, /* what exec has brought along */
	NOT_INIT,
	CHANGED, /* it has, or is about to, in some thread: ask each time */
};
static atomic_int state FF_HOT;

void ff_pidns_watch(void)
{
	int expected = NOT_WATCHED;

	atomic_compare_exchange_strong(&state, &expected, UNKNOWN);
}

void ff_pidns_changes(void)
{
	atomic_store(&state, CHANGED);
}

bool ff_pids_are_unique(void)
{
	return atomic_load(&state) != CHANGED && ff_getpid() != 1;
}

bool ff_next_child_is_init(void)
{
	int expected = UNKNOWN;
	char name[1];

	if (atomic_load(&ff_sandboxed))
		return true;
	if (atomic_load(&state) == NOT_INIT)
		return false;
	/* Without an init the namespace has no name yet: ENOENT. */
	if (sys(readlinkat, AT_FDCWD, "/proc/thread-self/ns/pid_for_children",
		name, sizeof(name)) < 0)
		return true;
	atomic_compare_exchange_strong(&state, &expected, NOT_INIT);
	return false;
}
