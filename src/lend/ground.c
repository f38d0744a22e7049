/*
 * A tracer or a filter that comes is noticed at the first vfork that is more
 * than LOOK_NS later than the last look. A disposition set behind our back
 * (by a raw call) is noticed then, too; until then its signal meets the
 * default in a child.
 */
#include "lend/ground.h"

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "host/ground.h"
#include "host/hot.h"
#include "host/pidns.h"

#define LOOK_NS (100L * 1000 * 1000)

static _Atomic int64_t looked_at FF_HOT; /* 0: never */
static _Atomic bool is_good FF_HOT;
static _Atomic ff_sigset caught FF_HOT;

/* From the vDSO, without a system call. */
static int64_t now_ns(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec + 1;
}

bool ff_lend_ground(ff_sigset *ret_caught)
{
	char status[FF_GROUND_BYTES];
	int64_t now = now_ns(), last = atomic_load(&looked_at);

	if (!last || now - last > LOOK_NS) {
		atomic_store(&is_good, ff_ground_now(status) == NULL);
		atomic_store(&caught, ff_ground_caught(status));
		atomic_store(&looked_at, now);
	}
	*ret_caught = atomic_load(&caught);
	return atomic_load(&is_good) && !ff_next_child_is_init();
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
