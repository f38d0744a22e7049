#include "host/sandbox.h"

#include <limits.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "arch/hot.h"
#include "host/newborn.h"
#include "host/sys.h"

atomic_bool ff_sandboxed FF_HOT;
_Atomic uint32_t ff_filters FF_HOT;

/* How many threads are under way; whoever waits for them sleeps on it. */
static _Atomic uint32_t flights FF_HOT;
static _Atomic bool awaited FF_HOT;

/* Without a filter the kernel is only asked whether it knows them. */
bool ff_is_sandboxing(long nr, uintptr_t a, uintptr_t b, uintptr_t c)
{
	if (nr == SYS_prctl && a == PR_SET_SECCOMP)
		return b == SECCOMP_MODE_STRICT || c;
	if (nr == SYS_seccomp)
		return a == SECCOMP_SET_MODE_STRICT ||
		       (a == SECCOMP_SET_MODE_FILTER && c);
	return false;
}

bool ff_flight_begin(void)
{
	atomic_fetch_add(&flights, 1);
	if (!atomic_load(&ff_sandboxed))
		return true;
	ff_flight_end();
	return false;
}

/* In a child that a handler made in between there is none to end. */
void ff_flight_end(void)
{
	uint32_t seen = atomic_load(&flights);

	do
		if (seen == 0)
			return;
	while (!atomic_compare_exchange_weak(&flights, &seen, seen - 1));
	if (seen == 1 && atomic_load(&awaited))
		sys(futex, &flights, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL,
		    0);
}

static void reset(void)
{
	atomic_store(&flights, 0);
	atomic_store(&awaited, false);
}
FF_IN_NEW_PROCESS(reset);

void ff_flights_await(void)
{
	const struct timespec slice = { 0, 10L * 1000 * 1000 };
	uint32_t seen;
	int slices;

	atomic_store(&awaited, true);
	for (slices = FF_FLIGHT_MAX_MS / 10; slices > 0; slices--) {
		seen = atomic_load(&flights);
		if (seen == 0)
			break;
		sys(futex, &flights, FUTEX_WAIT_PRIVATE, seen, &slice, NULL, 0);
	}
	/* Whoever ends now wakes nobody: by then it may not. */
	atomic_store(&awaited, false);
}

void ff_sandbox_enter(long nr, uintptr_t a, uintptr_t b)
{
	atomic_store(&ff_sandboxed, true);
	/* Other filters are the calling thread's own. */
	if (nr == SYS_seccomp && a == SECCOMP_SET_MODE_FILTER &&
	    (b & SECCOMP_FILTER_FLAG_TSYNC))
		ff_flights_await();
}
