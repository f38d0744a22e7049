/*
 * A page that the kernel wipes in the copy that fork makes (MADV_WIPEONFORK,
 * Linux 4.14) and that vfork shares. Without it another pid means a copy.
 */
#include "host/identity.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "host/hot.h"
#include "host/sys.h"

#define PAGE 4096

static _Atomic int owner FF_HOT;
static _Atomic(_Atomic int *) page FF_HOT;

enum ff_identity ff_identity(void)
{
	_Atomic int *mark = atomic_load(&page);
	int pid = ff_getpid(), nobody = 0;

	if (atomic_compare_exchange_strong(&owner, &nobody, pid) ||
	    nobody == pid)
		return FF_SAME;
	return mark && atomic_load(mark) ? FF_BORROWED : FF_COPY;
}

void ff_identity_take(void)
{
	_Atomic int *mark = atomic_load(&page);

	atomic_store(&owner, ff_getpid());
	if (mark)
		atomic_store(mark, 1);
}

void ff_identity_take_to_fork(void)
{
	_Atomic int *none = NULL;
	long at;

	if (atomic_load(&page))
		return;
	at = sys(mmap, NULL, PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at < 0 && at > -4096)
		return;
	if (sys(madvise, at, PAGE, MADV_WIPEONFORK) < 0 ||
	    !atomic_compare_exchange_strong(&page, &none, (_Atomic int *)at)) {
		sys(munmap, at, PAGE);
		return;
	}
	atomic_store((_Atomic int *)at, 1);
}

bool ff_identity_is_copy(int borrower)
{
	_Atomic int *mark = atomic_load(&page);

	return mark ? atomic_load(mark) == 0 : ff_getpid() != borrower;
}
