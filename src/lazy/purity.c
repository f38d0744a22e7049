/*
 * Raw calls alone; off the program's stack only in ff_purity_end(), so the
 * buffers are static: the child has one thread.
 *
 * Hazards
 *  H-Q1 Other threads of the parent write meanwhile: what they change looks
 *       like the child's doing, and its site is not taken for pure. In the
 *       frames above fork's caller, where words are put back one day, the
 *       child is compared with itself instead: they must not be learnt there.
 *  H-Q2 Whatever can't be read is taken for changed.
 */
#include "lazy/purity.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/rseq.h>

#include "arch/arch.h"
#include "host/sys.h"
#include "lazy/child.h"
#include "lazy/hooks.h"
#include "lazy/maps.h"
#include "lazy/slot.h"

#define ENTRIES 512
#define CHANGES 512
#define PRESENT ((uint64_t)1 << 63)
#define SWAPPED ((uint64_t)1 << 62)
#define EXCLUSIVE ((uint64_t)1 << 56)

/* Below the caller's stack pointer nothing is anybody's any more. */
#define DEAD_BELOW ((uintptr_t)256 << 10)
#define FRAMES_ABOVE ((uintptr_t)FF_PURITY_ABOVE)

static struct {
	bool measuring, failed;
	unsigned count, strayed;
	uintptr_t last_strayed;
	struct {
		uintptr_t at;
		uint64_t value;
	} change[CHANGES];
	/* The frames as they were at fork's return. */
	size_t frames_bytes;
	uint64_t frames[FRAMES_ABOVE / sizeof(uint64_t)];
	uint64_t entry[ENTRIES];
	uint64_t theirs[FF_PAGE / sizeof(uint64_t)];
} seen;

typedef void (*found_function)(uintptr_t at, uint64_t value, uint64_t theirs);

static void note(uintptr_t at, uint64_t value, uint64_t theirs)
{
	(void)theirs;
	if (seen.count == CHANGES) {
		seen.failed = true;
		return;
	}
	seen.change[seen.count].at = at;
	seen.change[seen.count++].value = value;
}

static void compare_page(uintptr_t page, found_function found)
{
	const uint64_t *ours = (const uint64_t *)page;
	size_t i;

	if (sys(pread64, ff_child.mem, seen.theirs, FF_PAGE, page) !=
	    (long)FF_PAGE) {
		seen.failed = true;
		return;
	}
	for (i = 0; i < FF_PAGE / sizeof(uint64_t); i++)
		if (ours[i] != seen.theirs[i])
			found((uintptr_t)&ours[i], ours[i], seen.theirs[i]);
}

static void compare_mapping(int pagemap, const struct ff_mapping *m,
			    found_function found)
{
	uintptr_t at;
	size_t i, n;

	for (at = m->start; at < m->end; at += n * FF_PAGE) {
		n = (m->end - at) / FF_PAGE;
		if (n > ENTRIES)
			n = ENTRIES;
		if (sys(pread64, pagemap, seen.entry, n * sizeof(uint64_t),
			at / FF_PAGE * sizeof(uint64_t)) !=
		    (long)(n * sizeof(uint64_t))) {
			seen.failed = true;
			return;
		}
		for (i = 0; i < n; i++) {
			if (ff_is_ours(at + i * FF_PAGE))
				continue;
			if (seen.entry[i] & SWAPPED)
				seen.failed = true;
			else if ((seen.entry[i] & PRESENT) &&
				 (seen.entry[i] & EXCLUSIVE))
				compare_page(at + i * FF_PAGE, found);
		}
	}
}

static void keep_frames(const struct ff_mapping *m)
{
	uintptr_t frame = ff_child.shared->purity.frame;

	if (frame < m->start || frame >= m->end)
		return;
	seen.frames_bytes = m->end - frame;
	if (seen.frames_bytes > FRAMES_ABOVE)
		seen.frames_bytes = FRAMES_ABOVE;
	memcpy(seen.frames, (void *)frame, seen.frames_bytes);
}

static void compare(found_function found)
{
	struct ff_mapping m;
	struct ff_maps maps;
	long pagemap;
	int rc;

	pagemap = sys(openat, AT_FDCWD, "/proc/self/pagemap",
		      O_RDONLY | O_CLOEXEC, 0);
	if (pagemap < 0 || ff_maps_open(&maps) < 0) {
		seen.failed = true;
		if (pagemap >= 0)
			sys(close, pagemap);
		return;
	}
	while ((rc = ff_maps_next(&maps, &m)) > 0)
		if (!m.shared && (m.prot & PROT_WRITE)) {
			if (found == note)
				keep_frames(&m);
			compare_mapping((int)pagemap, &m, found);
		}
	if (rc < 0)
		seen.failed = true;
	ff_maps_close(&maps);
	sys(close, pagemap);
}

static bool was_so_before(uintptr_t at, uint64_t value)
{
	unsigned i;

	for (i = 0; i < seen.count; i++)
		if (seen.change[i].at == at)
			return seen.change[i].value == value;
	return false;
}

static bool is_rseq(uintptr_t at)
{
	return at - (ff_thread_pointer() + (uintptr_t)__rseq_offset) < 32;
}

static void note_strayed(uintptr_t at)
{
	const uintptr_t page = at & ~(FF_PAGE - 1);

	if (!seen.strayed || page != seen.last_strayed)
		seen.strayed++;
	seen.last_strayed = page;
}

/* What is as it was at fork's return, a thread of the parent's has written. */
static void judge_in_frames(uintptr_t offset, uint64_t value)
{
	struct ff_purity *p = &ff_child.shared->purity;
	uint64_t changed = seen.frames[offset / sizeof(value)] ^ value;
	int half;

	for (half = 0; half < 2; half++) {
		if (!(uint32_t)(changed >> 32 * half))
			continue;
		if (p->count == FF_PURITY_WORDS)
			note_strayed(p->frame + offset);
		else
			p->at[p->count++] = (int32_t)offset + 4 * half;
	}
}

/* A word that differs from the parent's at exec. */
static void judge(uintptr_t at, uint64_t value, uint64_t theirs)
{
	struct ff_purity *p = &ff_child.shared->purity;

	if (at < p->frame && p->frame - at <= DEAD_BELOW)
		return;
	if (was_so_before(at, value) || is_rseq(at) ||
	    ff_is_binding(at, value - theirs) ||
	    at == (p->errno_at & ~(uintptr_t)7))
		return;
	if (at >= p->frame && at - p->frame < seen.frames_bytes)
		judge_in_frames(at - p->frame, value);
	else
		note_strayed(at);
}

void ff_purity_begin(void)
{
	struct ff_purity *p = &ff_child.shared->purity;

	if (!p->frame)
		return;
	seen.measuring = true;
	seen.failed = false;
	seen.count = 0;
	seen.frames_bytes = 0;
	compare(note);
}

void ff_purity_end(void)
{
	struct ff_purity *p = &ff_child.shared->purity;

	if (!seen.measuring || !p->frame)
		return;
	p->count = 0;
	seen.strayed = 0;
	compare(judge);
	atomic_store(&p->strayed,
		     seen.failed ? FF_PURITY_UNKNOWN : seen.strayed);
}
