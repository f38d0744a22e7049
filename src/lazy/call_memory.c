/*
 * Calls that change mappings: made on what is really there, with the table
 * of absent areas kept true. Small absent parts are fetched first; what would
 * move or change a lot of absent memory ends the trial.
 */
#include <sys/mman.h>

#include "arch/arch.h"
#include "host/sys.h"
#include "lazy/calls.h"
#include "lazy/child.h"
#include "lazy/pager.h"

#define FETCH_MAX ((size_t)4 << 20)

/* False: the child has left. */
static bool forget(ucontext_t *uc, long nr, uintptr_t start, size_t len)
{
	if (ff_forget(start, len) == 0)
		return true;
	ff_child_leave(uc, FF_REASON_MEMORY, nr);
	return false;
}

static bool have(ucontext_t *uc, long nr, uintptr_t start, size_t len)
{
	if (ff_absent_bytes(start, len) > FETCH_MAX) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return false;
	}
	if (ff_fetch(start, len) == 0)
		return true;
	ff_child_leave(uc, FF_REASON_MEMORY, nr);
	return false;
}

void ff_look_mmap(ucontext_t *uc, long nr)
{
	uintptr_t at = (uintptr_t)ff_arg(uc, 0);
	size_t len = (size_t)ff_arg(uc, 1);
	long prot = ff_arg(uc, 2), flags = ff_arg(uc, 3);

	if (!(flags & MAP_ANONYMOUS) && (flags & MAP_TYPE) != MAP_PRIVATE &&
	    (prot & PROT_WRITE) && !ff_child.committed) {
		ff_child_leave(uc, FF_REASON_OUTPUT, nr);
		return;
	}
	if ((flags & MAP_FIXED) && !forget(uc, nr, at, len))
		return;
	ff_pass(uc, nr, flags & MAP_ANONYMOUS ? "" : "----f-");
}

void ff_look_munmap(ucontext_t *uc, long nr)
{
	if (forget(uc, nr, (uintptr_t)ff_arg(uc, 0), (size_t)ff_arg(uc, 1)))
		ff_pass(uc, nr, "");
}

void ff_look_mremap(ucontext_t *uc, long nr)
{
	uintptr_t at = (uintptr_t)ff_arg(uc, 0);
	size_t len = (size_t)ff_arg(uc, 1);

	if (!have(uc, nr, at, len) || !forget(uc, nr, at, len))
		return;
	if ((ff_arg(uc, 3) & MREMAP_FIXED) &&
	    !forget(uc, nr, (uintptr_t)ff_arg(uc, 4), (size_t)ff_arg(uc, 2)))
		return;
	ff_pass(uc, nr, "");
}

void ff_look_mprotect(ucontext_t *uc, long nr)
{
	uintptr_t at = (uintptr_t)ff_arg(uc, 0);
	size_t len = (size_t)ff_arg(uc, 1);

	if (!ff_child.committed && ff_is_watched(at)) {
		ff_child_leave(uc, FF_REASON_SHARED, nr);
		return;
	}
	if (have(uc, nr, at, len))
		ff_pass(uc, nr, "");
}

void ff_look_madvise(ucontext_t *uc, long nr)
{
	switch (ff_arg(uc, 2)) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
		break; /* hints: a hole takes them like memory */
	default:
		if (!have(uc, nr, (uintptr_t)ff_arg(uc, 0),
			  (size_t)ff_arg(uc, 1)))
			return;
	}
	ff_pass(uc, nr, "");
}

void ff_look_brk(ucontext_t *uc, long nr)
{
	uintptr_t wanted = (uintptr_t)ff_arg(uc, 0);
	uintptr_t now = (uintptr_t)sys(brk, 0);

	/* The page the new end lies in stays. */
	wanted = (wanted + FF_PAGE - 1) & ~(FF_PAGE - 1);
	if (wanted && wanted < now && !forget(uc, nr, wanted, now - wanted))
		return;
	ff_pass(uc, nr, "");
}
