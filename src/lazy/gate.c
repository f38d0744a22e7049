#include "lazy/gate.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "host/hot.h"
#include "host/sys.h"

/* Bit 31: marks stand. Below: how many real forks are under way. */
#define MARKS 0x80000000u

static _Atomic uint32_t gate FF_HOT;
/* How many threads sleep, or are about to, until marks are gone. */
static _Atomic uint32_t sleepers FF_HOT;

static void sleep_while(uint32_t seen)
{
	atomic_fetch_add(&sleepers, 1);
	sys(futex, &gate, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
	atomic_fetch_sub(&sleepers, 1);
}

bool ff_gate_try_lazy(void)
{
	uint32_t seen;

	for (;;) {
		seen = 0;
		if (atomic_compare_exchange_strong(&gate, &seen, MARKS))
			return true;
		if (!(seen & MARKS))
			return false;
		sleep_while(seen);
	}
}

void ff_gate_leave_lazy(void)
{
	atomic_store(&gate, 0);
	if (atomic_load(&sleepers))
		sys(futex, &gate, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void ff_gate_enter_real(void)
{
	uint32_t seen = atomic_load(&gate);

	for (;;) {
		if (seen & MARKS) {
			sleep_while(seen);
			seen = atomic_load(&gate);
		} else if (atomic_compare_exchange_weak(&gate, &seen,
							seen + 1)) {
			return;
		}
	}
}

void ff_gate_leave_real(void)
{
	uint32_t seen = atomic_load(&gate);

	/* In the child of a fork that a handler made meanwhile nobody is in. */
	do
		if (!(seen & ~MARKS))
			return;
	while (!atomic_compare_exchange_weak(&gate, &seen, seen - 1));
}

void ff_gate_reset(void)
{
	atomic_store(&gate, 0);
	atomic_store(&sleepers, 0);
}
