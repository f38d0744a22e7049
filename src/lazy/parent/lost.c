/*
 * Runs in the parent, in the SIGSYS handler: raw calls only.
 *
 * The time that counts is the child's own: a busy machine makes nobody lost. And
 * it counts from the last call or fault on, as libc may have many threads to
 * look at, whose memory is brought for that.
 */
#include "lazy/parent/lost.h"

#include <stdatomic.h>
#include <time.h>

#include "host/clock.h"
#include "host/sys.h"

/* Of the budget, of which nothing else is known to fit the machine: an emulator
 * needs more than 8 ms for what takes microseconds. */
#define LOST_PART 4
#define LOOK_NS ((int64_t)4 * 1000 * 1000)

/* As clock_getcpuclockid() has it. */
static clockid_t cpu_clock_of(pid_t pid)
{
	return (clockid_t)(~(unsigned)pid << 3 | 2);
}

void ff_lost_begin(struct ff_lost *l, const struct ff_slot *slot, pid_t pid,
		   int64_t budget_ns)
{
	*l = (struct ff_lost){ .slot = slot,
			       .pid = pid,
			       .most_ns = budget_ns / LOST_PART,
			       .may_be = slot->comes_out,
			       .look_ns = ff_now_ns() + LOOK_NS };
}

int64_t ff_lost_patience(const struct ff_lost *l, int64_t ns)
{
	return l->may_be && ns > LOOK_NS ? LOOK_NS : ns;
}

bool ff_is_inside(const struct ff_slot *slot)
{
	return slot->comes_out && atomic_load(&slot->shared->inside) != FF_OUT;
}

bool ff_keep_inside(const struct ff_slot *slot)
{
	uint32_t inside = FF_INSIDE;

	return slot->comes_out &&
	       atomic_compare_exchange_strong(&slot->shared->inside, &inside,
					      FF_STAYS_INSIDE);
}

bool ff_is_lost(struct ff_lost *l)
{
	const struct ff_shared *sh = l->slot->shared;
	const int64_t now = l->may_be ? ff_now_ns() : 0;
	struct timespec used;
	uint32_t progress;
	int64_t cpu_ns;

	if (!l->may_be || now < l->look_ns)
		return false;
	l->look_ns = now + LOOK_NS;
	l->may_be = atomic_load(&sh->inside) == FF_INSIDE &&
		    sys(clock_gettime, cpu_clock_of(l->pid), &used) == 0;
	if (!l->may_be)
		return false;
	cpu_ns = (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
	progress = atomic_load(&sh->calls) + atomic_load(&sh->faults);
	if (progress == l->progress)
		return cpu_ns - l->cpu_ns >= l->most_ns;
	l->progress = progress;
	l->cpu_ns = cpu_ns;
	return false;
}
