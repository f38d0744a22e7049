/*
 * A lock for a few instructions or raw calls, held with all signals blocked
 * (or where no handler of ours can want it), so that its holder always makes
 * progress. Sleeps on a futex when contended; made without libc.
 */
#ifndef FF_HOST_SPIN_H
#define FF_HOST_SPIN_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "host/sys.h"

struct ff_spin {
	_Atomic uint32_t word; /* 0 free, 1 held, 2 held and waited for */
};

static inline void ff_spin_lock(struct ff_spin *lock)
{
	uint32_t free = 0;

	if (atomic_compare_exchange_strong(&lock->word, &free, 1))
		return;
	while (atomic_exchange(&lock->word, 2) != 0)
		sys(futex, &lock->word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
}

static inline void ff_spin_unlock(struct ff_spin *lock)
{
	if (atomic_exchange(&lock->word, 0) == 2)
		sys(futex, &lock->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

#endif
