/*
 * libc's word (__libc_single_threaded) is of the threads that it made itself.
 * Threads made by clone(2) are known to the kernel alone: a task directory has
 * a link for each, and two more.
 */
#include "libc/threads.h"

#include "libc/weak.h"

FF_WEAK(__libc_single_threaded)

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>

#include "arch/hot.h"
#include "host/newborn.h"
#include "host/sys.h"

bool ff_libc_made_no_thread(void)
{
	return &__libc_single_threaded && __libc_single_threaded;
}

/* What every directory is linked by. */
#define LINKS_OF_NONE 2

static _Atomic bool shared FF_HOT;
static _Atomic bool cloned FF_HOT; /* a thread, or who shares */

unsigned ff_threads(void)
{
	struct stat s;

	if (sys(newfstatat, AT_FDCWD, "/proc/self/task", &s, 0) < 0 ||
	    s.st_nlink <= LINKS_OF_NONE)
		return 0;
	return (unsigned)(s.st_nlink - LINKS_OF_NONE);
}

bool ff_is_alone_by(unsigned threads)
{
	return ff_libc_made_no_thread() && !atomic_load(&shared) &&
	       threads == 1;
}

bool ff_is_alone(void)
{
	return ff_libc_made_no_thread() && ff_is_alone_by(ff_threads());
}

/* To stop sharing memory is granted to who does not share it. */
bool ff_memory_is_unshared(void)
{
	return sys(unshare, CLONE_VM) == 0;
}

/* EINVAL is the kernel's own refusal, others are a filter's. */
bool ff_memory_seems_unshared(void)
{
	const long rc = sys(unshare, CLONE_VM);

	return rc == 0 || (rc != -EINVAL && ff_is_alone());
}

bool ff_may_have_threads(void)
{
	return !ff_libc_made_no_thread() || atomic_load(&cloned);
}

/* The caller of CLONE_VFORK stands still meanwhile; threads are counted. */
void ff_threads_note_clone(unsigned long flags)
{
	if ((flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM)
		return;
	atomic_store(&cloned, true);
	if (!(flags & CLONE_THREAD))
		atomic_store(&shared, true);
}

void ff_threads_reset(void)
{
	atomic_store(&cloned, false);
	atomic_store(&shared, false);
}
FF_IN_NEW_PROCESS(ff_threads_reset);
