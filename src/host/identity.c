/*
 * A page that the kernel wipes in the copy that fork makes (MADV_WIPEONFORK,
 * Linux 4.14) and that vfork shares: the stamp. A pid is no name of a process:
 * its child in a new pid namespace may have the same.
 */
#include "host/identity.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "arch/hot.h"
#include "host/newborn.h"
#include "host/page.h"
#include "host/pidns.h"
#include "host/sys.h"

static _Atomic int owner FF_HOT;
static _Atomic(_Atomic int *) page FF_HOT;

/*
 * A borrower in a pid namespace of its own may have its lender's pid. libc
 * gives each thread it knows a robust list, and the kernel gives none to a new
 * process; vfork's child, and clone's, is not known to libc.
 */
static bool is_known_to_libc(void)
{
	void *head = NULL;
	size_t bytes;

	return sys(get_robust_list, 0, &head, &bytes) == 0 && head;
}

enum ff_identity ff_identity(void)
{
	_Atomic int *stamp = atomic_load(&page);
	int pid, nobody = 0;

	if (stamp && !atomic_load(stamp))
		return FF_COPY;
	pid = ff_getpid();
	if (atomic_compare_exchange_strong(&owner, &nobody, pid))
		return FF_SAME;
	if (nobody != pid)
		return stamp ? FF_BORROWED : FF_COPY;
	return ff_pids_are_unique() || is_known_to_libc() ? FF_SAME :
							    FF_BORROWED;
}

void ff_identity_take(void)
{
	_Atomic int *stamp = atomic_load(&page);

	atomic_store(&owner, ff_getpid());
	if (stamp)
		atomic_store(stamp, 1);
}
FF_IN_NEW_PROCESS_BY_CALLS(ff_identity_take);

static void be_nobody(void)
{
	atomic_store(&owner, 0);
}
FF_IN_NEW_PROCESS(be_nobody);

bool ff_identity_take_to_fork(void)
{
	_Atomic int *none = NULL;
	long at;

	if (atomic_load(&page))
		return true;
	at = sys(mmap, NULL, FF_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ff_is_error(at))
		return false;
	if (sys(madvise, at, FF_PAGE, MADV_WIPEONFORK) < 0) {
		sys(munmap, at, FF_PAGE);
		return false;
	}
	atomic_store((_Atomic int *)at, 1);
	if (!atomic_compare_exchange_strong(&page, &none, (_Atomic int *)at))
		sys(munmap, at, FF_PAGE);
	return true;
}

uintptr_t ff_identity_page(void)
{
	return (uintptr_t)atomic_load(&page);
}

bool ff_identity_is_copy(int borrower)
{
	_Atomic int *stamp = atomic_load(&page);

	return stamp ? atomic_load(stamp) == 0 : ff_getpid() != borrower;
}
