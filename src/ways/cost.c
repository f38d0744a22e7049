/*
 * Runs in the parent, in any thread: what is kept are hints, each a word of its
 * own. Times are of a busy machine: a shorter one is believed at once, a longer
 * one slowly.
 */
#include "ways/cost.h"

#include <stdatomic.h>
#include <stddef.h>

#include "arch/hot.h"
#include "host/maps.h"

/* Lazy forks before anything is decided. */
#define LEARNT 3
/* Real forks between those that are lazy to learn what that costs by now. */
#define LOOK_EVERY 64
/* Below, nothing else is worth a question. */
#define CHEAP_NS ((int64_t)200 * 1000)

/* A copy of more is no small thing to learn from. */
#define RESIDENT_MAX ((uint64_t)4 << 30)

static const char measured[] = FF_COST_MEASURED;
static const char mappings[] = FF_COST_MAPPINGS;

static struct {
	_Atomic bool refused;		    /* a copy was */
	_Atomic int64_t extra_ns, clone_ns; /* of lazy forks */
	_Atomic int64_t real_ns;	    /* 0: not known */
	_Atomic uint64_t real_resident;	    /* then */
	_Atomic uint64_t resident;	    /* now */
	_Atomic unsigned lazies, skipped, asked;
} cost FF_HOT;

static void settle(_Atomic int64_t *known, int64_t ns)
{
	const int64_t old = atomic_load(known);

	atomic_store(known, old == 0 || ns < old ? ns : old + (ns - old) / 8);
}

void ff_cost_of_lazy(int64_t extra_ns, int64_t clone_ns)
{
	if (!ff_maps_are_many()) {
		if (atomic_load(&cost.lazies))
			atomic_store(&cost.lazies, 0);
		return;
	}
	settle(&cost.extra_ns, extra_ns);
	settle(&cost.clone_ns, clone_ns);
	atomic_fetch_add(&cost.lazies, 1);
}

bool ff_cost_is_asked(void)
{
	return ff_maps_are_many() && atomic_load(&cost.lazies) >= LEARNT;
}

void ff_cost_of_real(int64_t ns)
{
	settle(&cost.real_ns, ns);
	atomic_store(&cost.real_resident, atomic_load(&cost.resident));
}

/* By how much less its clone takes; what is not copied is not torn down in the
 * child, either. */
static int64_t saved_ns(uint64_t resident)
{
	const int64_t less =
		atomic_load(&cost.real_ns) - atomic_load(&cost.clone_ns);
	const uint64_t then = atomic_load(&cost.real_resident) >> 20;

	if (less <= 0)
		return 0;
	return (int64_t)((double)(less + less / 2) *
			 ((double)(resident >> 20) + 1) / ((double)then + 1));
}

const char *ff_cost_why_real(uint64_t resident)
{
	if (!ff_cost_is_asked() || atomic_load(&cost.extra_ns) < CHEAP_NS ||
	    atomic_load(&cost.refused) || resident > RESIDENT_MAX)
		return NULL;
	atomic_store(&cost.resident, resident);
	/* One is enough, however many threads ask. */
	if (atomic_load(&cost.real_ns) == 0)
		return atomic_fetch_add(&cost.asked, 1) % LOOK_EVERY ? NULL :
								       measured;
	if (saved_ns(resident) > atomic_load(&cost.extra_ns))
		return NULL;
	if (atomic_fetch_add(&cost.skipped, 1) % LOOK_EVERY == LOOK_EVERY - 1)
		return NULL;
	return mappings;
}

bool ff_cost_gives_up(const char *why)
{
	if (why != measured && why != mappings)
		return false;
	atomic_store(&cost.refused, true);
	return true;
}
