/*
 * Calls that change mappings: made on what is really there, with the table
 * of absent areas kept true. Small absent parts are fetched first; what would
 * move or change a lot of absent memory ends the trial.
 *
 * H-M4 A call that fails changes nothing, so nothing is forgotten before it
 *      went well.
 */
#include <errno.h>
#include <sys/mman.h>

#include "arch/arch.h"
#include "host/file.h"
#include "host/maps.h"
#include "host/sys.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"
#include "lazy/child/own.h"
#include "lazy/child/pager.h"
#include "lazy/child/watched.h"

#define FETCH_MAX ((size_t)4 << 20)

/* Fetch all of the range before a call that needs it: it is ordinary memory
 * from now on, whatever the call does. False: the child has left. */
static bool have(ucontext_t *uc, long nr, struct ff_range r)
{
	if (ff_absent_bytes(r.start, r.end - r.start) > FETCH_MAX) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return false;
	}
	if (ff_fetch(r.start, r.end - r.start) == 0 &&
	    ff_forget(r.start, r.end - r.start) == 0)
		return true;
	ff_child_leave(uc, FF_REASON_MEMORY, nr);
	return false;
}

/* Make the call; where it goes well nothing of @gone is absent any more. */
static void change(ucontext_t *uc, long nr, struct ff_range gone)
{
	long result;

	if (ff_fetch_edges(gone.start, gone.end - gone.start) < 0) {
		ff_child_leave(uc, FF_REASON_MEMORY, nr);
		return;
	}
	result = ff_make(uc, nr);
	if (!ff_is_error(result))
		ff_forget(gone.start, gone.end - gone.start);
	if (result == -EFAULT)
		ff_child_leave(uc, FF_REASON_CALL, nr);
	else
		ff_answer(uc, result);
}

static const struct ff_range none;

static struct ff_range range_of(long start, long len)
{
	return (struct ff_range){ (uintptr_t)start,
				  (uintptr_t)start + (size_t)len };
}

/* Is part of it shared with others, whatever its protection was at fork? Only
 * the kernel knows what has been mapped there since. */
static bool may_be_shared(struct ff_range r)
{
	struct ff_mapping m;
	struct ff_maps maps;
	bool shared = false;
	int rc;

	if (ff_is_in_area(r.start, r.end - r.start))
		return false;
	if (ff_maps_open(&maps) < 0)
		return true;
	maps.next = r.start;
	while ((rc = ff_maps_next(&maps, &m)) > 0 && m.start < r.end && !shared)
		shared = m.shared && m.end > r.start;
	ff_maps_close(&maps);
	return shared || rc < 0;
}

/* A device may do something when it is mapped. */
static bool is_ordinary(long fd)
{
	struct stat st;

	return sys(fstat, fd, &st) < 0 || S_ISREG(st.st_mode) ||
	       ff_is_null(&st);
}

void ff_look_mmap(ucontext_t *uc, long nr)
{
	long prot = ff_arg(uc, 2), flags = ff_arg(uc, 3);
	bool file = !(flags & MAP_ANONYMOUS);

	if (file && ff_is_our_fd((int)ff_arg(uc, 4))) {
		ff_answer(uc, -EBADF);
		return;
	}
	if (file && (flags & MAP_TYPE) != MAP_PRIVATE && (prot & PROT_WRITE) &&
	    !ff_child.committed) {
		ff_child_leave(uc, FF_REASON_OUTPUT, nr);
		return;
	}
	if (file && !ff_child.committed && !is_ordinary((int)ff_arg(uc, 4))) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	change(uc, nr,
	       flags & MAP_FIXED ? range_of(ff_arg(uc, 0), ff_arg(uc, 1)) :
				   none);
}

void ff_look_munmap(ucontext_t *uc, long nr)
{
	change(uc, nr, range_of(ff_arg(uc, 0), ff_arg(uc, 1)));
}

void ff_look_mremap(ucontext_t *uc, long nr)
{
	struct ff_range old = range_of(ff_arg(uc, 0), ff_arg(uc, 1));

	/* It would not be known where it is then; of no bytes a second mapping
	 * is made. */
	if (!ff_child.committed &&
	    ff_meets_watched(old.start, old.end - old.start + 1))
		ff_child_leave(uc, FF_REASON_SHARED, nr);
	else if (have(uc, nr, old))
		change(uc, nr,
		       ff_arg(uc, 3) & MREMAP_FIXED ?
			       range_of(ff_arg(uc, 4), ff_arg(uc, 2)) :
			       none);
}

void ff_look_mprotect(ucontext_t *uc, long nr)
{
	struct ff_range r = range_of(ff_arg(uc, 0), ff_arg(uc, 1));

	if (!ff_child.committed && (ff_arg(uc, 2) & PROT_WRITE) &&
	    may_be_shared(r))
		ff_child_leave(uc, FF_REASON_SHARED, nr);
	else if (have(uc, nr, r))
		ff_pass(uc, nr, "");
}

void ff_look_madvise(ucontext_t *uc, long nr)
{
	struct ff_range r = range_of(ff_arg(uc, 0), ff_arg(uc, 1));

	switch (ff_request_rule(nr, (uint32_t)ff_arg(uc, 2))->lazy) {
	case FF_LAZY_HINT:
		ff_pass(uc, nr, "");
		return;
	case FF_LAZY_OWN:
		if (!ff_child.committed && may_be_shared(r)) {
			ff_child_leave(uc, FF_REASON_SHARED, nr);
			return;
		}
		/* fall through */
	case FF_LAZY_HAVE:
		if (have(uc, nr, r))
			ff_pass(uc, nr, "");
		return;
	default:
		ff_child_leave(uc, FF_REASON_CALL, nr);
	}
}

void ff_look_brk(ucontext_t *uc, long nr)
{
	uintptr_t wanted = (uintptr_t)ff_arg(uc, 0);
	uintptr_t now = (uintptr_t)sys(brk, 0), is;
	/* The page the new end lies in stays. */
	uintptr_t from = ff_page_ceiling(wanted);

	if (wanted >= now || wanted == 0) {
		ff_answer(uc, ff_make(uc, nr));
		return;
	}
	if (ff_fetch_edges(from, now - from) < 0) {
		ff_child_leave(uc, FF_REASON_MEMORY, nr);
		return;
	}
	is = (uintptr_t)ff_make(uc, nr); /* where the end is, if not there */
	if (is == wanted)
		ff_forget(from, now - from);
	ff_answer(uc, (long)is);
}
