/*
 * A tracer or a filter that comes is noticed at the first vfork that is more
 * than LOOK_NS later than the last look, and so are rings that were made behind
 * our back. A disposition set behind our back (by a raw call) is noticed then,
 * too; until then its signal meets the default in a child. One that is set by
 * name while another thread looks is not lost.
 */
#include "lend/parent/ground.h"

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "arch/hot.h"
#include "host/ground.h"
#include "host/pidns.h"
#include "lend/headroom.h"
#include "lend/parent/rings.h"
#include "process/filter.h"

#define LOOK_NS (100L * 1000 * 1000)

static _Atomic int64_t looked_at FF_HOT; /* 0: never */
static _Atomic bool is_good FF_HOT;
static _Atomic int64_t room_looked_at FF_HOT; /* as looked_at */
static _Atomic bool has_room FF_HOT;
static _Atomic bool has_writers FF_HOT;
static _Atomic ff_sigset caught FF_HOT;

/* From the vDSO, without a system call. */
static int64_t now_ns(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec + 1;
}

/* @last: when it was looked at; whoever looks says so when the answer stands,
 * as others go by it from then on. */
static bool is_time(const _Atomic int64_t *last)
{
	int64_t then = atomic_load(last);

	return !then || now_ns() - then > LOOK_NS;
}

static void look(void)
{
	char status[FF_GROUND_BYTES];
	ff_sigset before;

	do {
		before = atomic_load(&caught);
		atomic_store(&is_good,
			     !ff_filter_ground(status, FF_NEED_VFORK));
	} while (!atomic_compare_exchange_strong(&caught, &before,
						 ff_ground_caught(status)));
	atomic_store(&looked_at, now_ns());
}

bool ff_lend_ground(ff_sigset *ret_caught)
{
	if (is_time(&looked_at))
		look();
	*ret_caught = atomic_load(&caught);
	return atomic_load(&is_good) && !ff_children_are_elsewhere();
}

void ff_lend_no_forks(void)
{
	atomic_store(&has_writers, true);
}

bool ff_lend_ground_of_forks(void)
{
	if (atomic_load(&has_writers))
		return false;
	if (is_time(&room_looked_at)) {
		atomic_store(&has_room, ff_headroom_in_sight());
		if (ff_rings_are_mapped())
			ff_lend_no_forks();
		atomic_store(&room_looked_at, now_ns());
	}
	return atomic_load(&has_room) && !atomic_load(&has_writers);
}

void ff_lend_note_crowd(void)
{
	atomic_store(&has_room, false);
	atomic_store(&room_looked_at, now_ns());
}

void ff_lend_note_action(int sig, bool handled)
{
	if (sig < 1 || sig > 64)
		return;
	if (handled)
		atomic_fetch_or(&caught, FF_SIG(sig));
	else
		atomic_fetch_and(&caught, ~FF_SIG(sig));
}
