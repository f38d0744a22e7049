/*
 * Runs in the parent with the gate held, by raw calls.
 *
 * Hazard
 *  H-N5 To take a mark away may be refused: for want of memory, or by a filter
 *       whose supervisor is gone. It is asked for again at once, and before the
 *       next fork; which fails where it is refused still, as a child would not
 *       have that memory.
 */
#include "lazy/parent/refused.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "arch/hot.h"
#include "host/newborn.h"
#include "host/spin.h"
#include "host/sys.h"
#include "lazy/areas.h"
#include "process/gate.h"

long ff_mark_give(uintptr_t start, uintptr_t end, int advice)
{
	return sys(madvise, start, end - start, advice);
}

/* What the kernel would not take away: two for each area, which is all there
 * can be without threads (advised.c). With threads all memory is swept again
 * where there were more. */
#define REFUSED_MAX (2 * (FF_AREAS_MAX + FF_AREAS_SPARE))

static struct {
	struct ff_spin lock;
	_Atomic unsigned count;
	_Atomic bool were_more;
} refused FF_HOT;

static struct {
	uintptr_t start, end;
	int advice;
} mark[REFUSED_MAX];

static void note_refused(uintptr_t start, uintptr_t end, int advice)
{
	unsigned n;

	ff_spin_lock(&refused.lock);
	n = atomic_load(&refused.count);
	if (n < REFUSED_MAX) {
		mark[n].start = start;
		mark[n].end = end;
		mark[n].advice = advice;
		atomic_store(&refused.count, n + 1);
	} else {
		atomic_store(&refused.were_more, true);
	}
	ff_spin_unlock(&refused.lock);
	ff_gate_note_unclean();
}

/* ENOMEM: there is a hole by now; around it, it is done. EINVAL: it is wiped
 * for good (MAP_DROPPABLE), and was not marked. */
static bool is_refused(long rc)
{
	return rc < 0 && rc != -ENOMEM && rc != -EINVAL;
}

long ff_mark_take_away(uintptr_t start, uintptr_t end, int advice)
{
	long rc = ff_mark_give(start, end, advice);

	if (is_refused(rc)) {
		rc = ff_mark_give(start, end, advice);
		if (is_refused(rc))
			note_refused(start, end, advice);
	}
	return rc;
}

void ff_mark_take_away_refused(void)
{
	unsigned i, kept = 0;

	if (!ff_marks_are_refused())
		return;
	ff_spin_lock(&refused.lock);
	for (i = 0; i < atomic_load(&refused.count); i++) {
		if (is_refused(ff_mark_give(mark[i].start, mark[i].end,
					    mark[i].advice)))
			mark[kept++] = mark[i];
	}
	atomic_store(&refused.count, kept);
	atomic_store(&refused.were_more, false);
	ff_spin_unlock(&refused.lock);
}

bool ff_marks_are_refused(void)
{
	return atomic_load(&refused.count) || atomic_load(&refused.were_more);
}

static void reset(void)
{
	atomic_store(&refused.count, 0);
	atomic_store(&refused.were_more, false);
	refused.lock.word = 0;
}
FF_IN_NEW_PROCESS(reset);
