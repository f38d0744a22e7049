#include "host/pidns.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

#include "arch/hot.h"
#include "host/sandbox.h"
#include "host/sys.h"

#define NAME_BYTES 64

/*
 * Asking costs some per cent of a vfork. The answer changes by unshare() and
 * setns() alone, so where those are watched and were not called, one is good
 * for the life of the program: threads have their creator's namespaces.
 */
enum {
	NOT_WATCHED,
	UNKNOWN, /* what exec has brought along */
	SAME,	 /* children are born where their parent lives */
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

/* The name of a namespace, zero behind it; false: it has none. */
static bool name_of(const char *path, char name[NAME_BYTES])
{
	long got;

	memset(name, 0, NAME_BYTES);
	got = sys(readlinkat, AT_FDCWD, path, name, NAME_BYTES);
	return got > 0 && got < NAME_BYTES;
}

/* True as well where it can't be told. */
static bool is_elsewhere(bool *ret_init)
{
	char own[NAME_BYTES], of_children[NAME_BYTES];
	int expected = UNKNOWN;

	*ret_init = atomic_load(&ff_sandboxed);
	if (*ret_init)
		return true;
	if (atomic_load(&state) == SAME)
		return false;
	/* Without an init the namespace has no name yet: ENOENT. */
	*ret_init =
		!name_of("/proc/thread-self/ns/pid_for_children", of_children);
	if (*ret_init || !name_of("/proc/thread-self/ns/pid", own) ||
	    memcmp(own, of_children, NAME_BYTES) != 0)
		return true;
	atomic_compare_exchange_strong(&state, &expected, SAME);
	return false;
}

bool ff_children_are_elsewhere(void)
{
	bool is_init;

	return is_elsewhere(&is_init);
}

bool ff_next_child_is_init(void)
{
	bool is_init;

	is_elsewhere(&is_init);
	return is_init;
}

bool ff_parent_is_dead(pid_t pid)
{
	const long now = sys(getppid);

	return now && now != pid;
}
