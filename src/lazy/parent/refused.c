/*
 * Runs in the parent with the gate held, by raw calls.
 *
 * Hazard
 *  H-N5 To take a mark away may be refused, for want of memory. It is asked for
 *       again at once, and before the next fork.
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

long ff_mark_give(uintptr_t start, uintptr_t end, int advice)
{
	return sys(madvise, start, end - start, advice);
}

/* What the kernel would not take away. */
#define REFUSED_MAX 64

static struct {
	struct ff_spin lock;
	_Atomic unsigned count;
	struct {
		uintptr_t start, end;
		int advice;
	} mark[REFUSED_MAX];
} refused FF_HOT;

static void note_refused(uintptr_t start, uintptr_t end, int advice)
{
	unsigned n;

	ff_spin_lock(&refused.lock);
	n = atomic_load(&refused.count);
	if (n < REFUSED_MAX) {
		refused.mark[n].start = start;
		refused.mark[n].end = end;
		refused.mark[n].advice = advice;
		atomic_store(&refused.count, n + 1);
	}
	ff_spin_unlock(&refused.lock);
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

	if (!atomic_load(&refused.count))
		return;
	ff_spin_lock(&refused.lock);
	for (i = 0; i < atomic_load(&refused.count); i++) {
		if (is_refused(ff_mark_give(refused.mark[i].start,
					    refused.mark[i].end,
					    refused.mark[i].advice)))
			refused.mark[kept++] = refused.mark[i];
	}
	atomic_store(&refused.count, kept);
	ff_spin_unlock(&refused.lock);
}

static void reset(void)
{
	atomic_store(&refused.count, 0);
	refused.lock.word = 0;
}
FF_IN_NEW_PROCESS(reset);
