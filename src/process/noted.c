/*
 * Runs in the parent, and read in the child; by raw calls, with all signals
 * blocked where it changes.
 *
 * H-A4 The list is full: then of MADV_WIPEONFORK nothing is known, and all
 *      memory counts as such. Of MADV_DONTFORK a range that is not here only
 *      costs time: what is not in a child the child itself finds (wiped.c).
 */
#include "process/noted.h"

#include <stdatomic.h>

#include "host/page.h"
#include "host/spin.h"

#define NOTES_MAX 256

struct note {
	struct ff_range range; /* of whole pages; none: free */
	bool wiped;
};

enum {
	DONTFORK = 1,
	WIPED = 2,
	BOTH = 3
};

static struct {
	struct ff_spin lock;
	_Atomic unsigned changes; /* odd: under way */
	_Atomic unsigned count;	  /* up to here some are in use */
	_Atomic bool any, any_wiped, dontfork, too_many;
	struct note note[NOTES_MAX];
} noted;

static void begin(void)
{
	ff_spin_lock(&noted.lock);
	atomic_fetch_add(&noted.changes, 1);
}

static void end_of_change(void)
{
	atomic_fetch_add(&noted.changes, 1);
	ff_spin_unlock(&noted.lock);
}

void ff_noted_reset(void)
{
	noted.lock.word = 0;
	atomic_store(&noted.changes, 0);
}

static const struct ff_range none;

static bool meets(const struct ff_range *r, uintptr_t start, uintptr_t end)
{
	return r->start < end && start < r->end;
}

static unsigned count(void)
{
	return atomic_load_explicit(&noted.count, memory_order_acquire);
}

/* A place for a range, which may grow one that it touches. */
static void add(uintptr_t start, uintptr_t end, bool wiped)
{
	struct note *n, *found = NULL;
	unsigned i, used = count();

	if (start >= end)
		return;
	for (i = 0; i < used; i++) {
		n = &noted.note[i];
		if (n->range.start < n->range.end && n->wiped == wiped &&
		    n->range.start <= end && start <= n->range.end) {
			start = n->range.start < start ? n->range.start : start;
			end = n->range.end > end ? n->range.end : end;
			n->range = none;
		}
		if (!found && n->range.start >= n->range.end)
			found = n;
	}
	if (!found && used == NOTES_MAX) {
		if (wiped)
			atomic_store(&noted.too_many, true);
		return;
	}
	if (!found)
		found = &noted.note[used];
	*found = (struct note){ { start, end }, wiped };
	if (found == &noted.note[used])
		atomic_store_explicit(&noted.count, used + 1,
				      memory_order_release);
}

static void cut(struct note *n, uintptr_t start, uintptr_t end)
{
	uintptr_t behind = n->range.end;

	if (start <= n->range.start) {
		n->range.start = end;
		if (end >= behind)
			n->range = none;
		return;
	}
	n->range.end = start;
	if (end >= behind)
		return;
	/* They touch nothing of their kind. */
	add(end, behind, n->wiped);
}

static void drop(uintptr_t start, uintptr_t end, int kinds)
{
	unsigned i, used = count();

	for (i = 0; i < used; i++)
		if (meets(&noted.note[i].range, start, end) &&
		    (kinds & (noted.note[i].wiped ? WIPED : DONTFORK)))
			cut(&noted.note[i], start, end);
}

void ff_noted_add(uintptr_t start, uintptr_t end, bool wiped)
{
	begin();
	add(start, end, wiped);
	atomic_store(&noted.any, true);
	if (wiped)
		atomic_store(&noted.any_wiped, true);
	else
		atomic_store(&noted.dontfork, true);
	end_of_change();
}

void ff_noted_take_back(uintptr_t start, uintptr_t end, bool wiped)
{
	begin();
	drop(start, end, wiped ? WIPED : DONTFORK);
	end_of_change();
}

void ff_noted_drop(uintptr_t start, uintptr_t end)
{
	begin();
	drop(start, end, BOTH);
	end_of_change();
}

void ff_noted_copy(uintptr_t start, uintptr_t end, uintptr_t to,
		   uintptr_t to_end)
{
	bool dontfork = false, wiped = false;
	unsigned i, used = count();

	begin();
	for (i = 0; i < used; i++)
		if (meets(&noted.note[i].range, start, end)) {
			dontfork |= !noted.note[i].wiped;
			wiped |= noted.note[i].wiped;
		}
	if (to >= end || to_end <= start)
		drop(to, to_end, BOTH);
	/* One mapping, or mremap() would not have moved it. */
	if (dontfork)
		add(to, to_end, false);
	if (wiped)
		add(to, to_end, true);
	end_of_change();
}

static bool look(uintptr_t start, uintptr_t end, int kinds)
{
	unsigned i, used = count();

	if (atomic_load(&noted.too_many))
		return true;
	for (i = 0; i < used; i++)
		if (meets(&noted.note[i].range, start, end) &&
		    (kinds & (noted.note[i].wiped ? WIPED : DONTFORK)))
			return true;
	return false;
}

/* Who changes the list has all signals blocked, and is soon done. */
static bool is_noted(uintptr_t start, uintptr_t end, int kinds)
{
	unsigned before;
	bool is;

	do {
		before = atomic_load(&noted.changes);
		is = look(start, end, kinds);
		atomic_thread_fence(memory_order_seq_cst);
	} while (before % 2 || atomic_load(&noted.changes) != before);
	return is;
}

bool ff_noted_any_in(uintptr_t start, uintptr_t end)
{
	return is_noted(start, end, BOTH);
}

bool ff_noted_wiped(uintptr_t start, uintptr_t end)
{
	return atomic_load_explicit(&noted.any_wiped, memory_order_relaxed) &&
	       is_noted(start, end, WIPED);
}

bool ff_noted_any(void)
{
	return atomic_load_explicit(&noted.any, memory_order_relaxed);
}

bool ff_noted_any_dontfork(void)
{
	return atomic_load(&noted.dontfork);
}
