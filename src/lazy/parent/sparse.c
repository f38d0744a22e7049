/*
 * Runs in the parent, in a SIGSYS handler with all signals blocked and the gate
 * held, so in one thread at a time; by raw calls. What is found here costs or
 * saves time, and nothing else: a child that gets lost in a list that was
 * changed meanwhile is taken back when its time is up.
 *
 * A look at some pages of an area tells whether it is sparse, or a stack. What
 * was found of a small one is kept for a while, as there may be one for each
 * thread.
 */
#include "lazy/parent/sparse.h"

#include <stdbool.h>

#include "host/hash.h"
#include "host/page.h"
#include "host/sys.h"
#include "lazy/parent/advised.h"

/* Up to here, as big as stacks are, it does little harm to be wrong: a copy of
 * all of it takes less than a millisecond. */
#define SMALL ((uintptr_t)16 << 20)
#define LOOKS 16
#define LOOKS_AT_BIG 32

/* A stack's guard is no bigger. glibc 2.43 has it within the mapping of the
 * stack, where it looks as if it were there. */
#define GUARD ((uintptr_t)64 << 10)

#define KNOWN 1024 /* a power of two */
#define KNOWN_FOR 64

static struct known {
	uintptr_t start, end;
	uint32_t since;
	bool copied;
} known[KNOWN];
static uint32_t now;

static bool is_there(int pagemap, uintptr_t page)
{
	uint64_t entry = FF_PAGE_IS_THERE;

	return sys(pread64, pagemap, &entry, sizeof(entry),
		   page / FF_PAGE * sizeof(entry)) < 0 ||
	       (entry & FF_PAGE_IS_THERE) != 0;
}

/* Of @looks pages, evenly spread, no more than @most are there. */
static bool has_at_most(unsigned most, unsigned looks, int pagemap,
			const struct ff_area *a)
{
	const uintptr_t step = (a->end - a->start) / looks;
	unsigned i, found = 0;

	for (i = 0; i < looks && found <= most; i++)
		found += is_there(
			pagemap, ff_page_floor(a->start + i * step + step / 2));
	return found <= most;
}

/* Filled from its top: what is allocated begins at the bottom. libc lists its
 * stacks in their top pages, and other threads change the list while a child
 * goes through it: all of it has to be of one moment. */
static bool is_like_stack(int pagemap, const struct ff_area *a)
{
	return !is_there(pagemap, a->start + GUARD) &&
	       is_there(pagemap, a->end - FF_PAGE);
}

static struct known *known_of(const struct ff_area *a)
{
	return &known[ff_hash(a->start / FF_PAGE) >> 32 & (KNOWN - 1)];
}

static bool is_to_be_copied(const struct ff_area *a, int pagemap)
{
	struct known *k = known_of(a);

	if (a->end - a->start > SMALL)
		return has_at_most(0, LOOKS_AT_BIG, pagemap, a);
	if (k->start != a->start || k->end != a->end ||
	    now - k->since >= KNOWN_FOR)
		*k = (struct known){ a->start, a->end, now,
				     is_like_stack(pagemap, a) ||
					     has_at_most(1, LOOKS, pagemap,
							 a) };
	return k->copied;
}

void ff_areas_drop_sparse(struct ff_areas *areas, int pagemap)
{
	unsigned i, kept = 0;

	if (pagemap < 0)
		return;
	now++;
	for (i = 0; i < areas->count; i++) {
		const struct ff_area a = areas->area[i];

		if (is_to_be_copied(&a, pagemap))
			ff_areas_leave_out(areas, &a);
		else
			areas->area[kept++] = a;
	}
	areas->count = kept;
}
