#include "host/pidns.h"

#include <fcntl.h>

#include "host/sandbox.h"
#include "host/sys.h"

bool ff_next_child_is_init(void)
{
	char name[1];

	if (atomic_load(&ff_sandboxed))
		return true;
	/* Without an init the namespace has no name yet: ENOENT. */
	return sys(readlinkat, AT_FDCWD,
		   "/proc/thread-self/ns/pid_for_children", name,
		   sizeof(name)) < 0;
}
