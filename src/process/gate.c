#include "process/gate.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "arch/hot.h"
#include "host/clock.h"
#include "host/identity.h"
#include "host/newborn.h"
#include "host/sys.h"

/* Bit 31: marks stand, or are about to. Below: how many real forks are under
 * way, and above these, how many moves. */
#define MARKS 0x80000000u
#define REAL 1u
#define REALS 0x0000ffffu
#define MOVE 0x00010000u
#define MOVES 0x7fff0000u

/* A move is done in microseconds, unless its thread gets no processor. */
#define MOVE_SLICE_NS (500L * 1000)
#define MOVE_SLICES 10

static _Atomic uint32_t gate FF_HOT;
/* How many threads sleep, or are about to, until it changes. */
static _Atomic uint32_t sleepers FF_HOT;
static _Atomic bool used FF_HOT;
static _Atomic bool unclean FF_HOT;
static bool (*_Atomic sweep)(void);
/* Of the real forks none has ended since somebody waited in vain. */
static _Atomic bool given_up FF_HOT;

static void sleep_while(uint32_t seen, const struct timespec *limit)
{
	atomic_fetch_add(&sleepers, 1);
	sys(futex, &gate, FUTEX_WAIT_PRIVATE, seen, limit, NULL, 0);
	atomic_fetch_sub(&sleepers, 1);
}

static void wake_sleepers(void)
{
	if (atomic_load(&sleepers))
		sys(futex, &gate, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* The marks that are seen here may be a parent's, of which this process is a
 * copy that nobody told us of: whoever made them is not here. */
static void wait_for_marks(uint32_t seen)
{
	if (ff_identity() == FF_COPY)
		ff_gate_reset();
	else
		sleep_while(seen, NULL);
}

/* With MARKS set no move begins. False: one does not end. */
static bool moves_end(void)
{
	const struct timespec slice = { 0, MOVE_SLICE_NS };
	uint32_t seen = atomic_load(&gate);
	int slices;

	for (slices = MOVE_SLICES; seen & MOVES && slices > 0; slices--) {
		sleep_while(seen, &slice);
		seen = atomic_load(&gate);
	}
	return !(seen & MOVES);
}

/* False: no time is left of @*deadline_ns, which is set at the first time. */
static bool wait_for_reals(uint32_t seen, int64_t ns, int64_t *deadline_ns)
{
	const int64_t now = ff_now_ns();
	struct timespec left;

	if (ns <= 0)
		return false;
	if (!*deadline_ns)
		*deadline_ns = now + ns;
	ns = *deadline_ns - now;
	if (ns <= 0)
		return false;
	left = (struct timespec){ ns / 1000000000, ns % 1000000000 };
	sleep_while(seen, &left);
	return true;
}

bool ff_gate_try_lazy(int64_t ns)
{
	int64_t deadline_ns = 0;
	uint32_t seen;

	atomic_store(&used, true);
	seen = atomic_load(&gate);
	for (;;) {
		if (seen & MARKS) {
			wait_for_marks(seen);
			seen = atomic_load(&gate);
		} else if (seen & REALS) {
			if (!wait_for_reals(seen, ns, &deadline_ns))
				return false;
			seen = atomic_load(&gate);
		} else if (atomic_compare_exchange_weak(&gate, &seen,
							seen | MARKS)) {
			break;
		}
	}
	if (moves_end())
		return true;
	ff_gate_leave_lazy();
	return false;
}

void ff_gate_leave_lazy(void)
{
	atomic_fetch_and(&gate, ~MARKS);
	wake_sleepers();
}

static void enter(uint32_t one)
{
	uint32_t seen = atomic_load(&gate);

	for (;;) {
		if (seen & MARKS) {
			wait_for_marks(seen);
			seen = atomic_load(&gate);
		} else if (atomic_compare_exchange_weak(&gate, &seen,
							seen + one)) {
			return;
		}
	}
}

/* In the child of a fork that a handler made meanwhile nobody is in. */
static void leave(uint32_t one, uint32_t all)
{
	uint32_t seen = atomic_load(&gate);

	do
		if (!(seen & all))
			return;
	while (!atomic_compare_exchange_weak(&gate, &seen, seen - one));
	wake_sleepers();
}

void ff_gate_enter_real(void)
{
	enter(REAL);
}

void ff_gate_leave_real(void)
{
	leave(REAL, REALS);
	if (!(atomic_load(&gate) & REALS))
		atomic_store(&given_up, false);
}

void ff_gate_give_up(void)
{
	atomic_store(&given_up, true);
}

bool ff_gate_is_given_up(void)
{
	return atomic_load(&given_up);
}

bool ff_gate_sweep(void)
{
	bool (*by)(void) = atomic_load(&sweep);
	const bool is_clean = !by || by();

	atomic_store(&unclean, !is_clean);
	return is_clean;
}

bool ff_gate_is_unclean(void)
{
	return atomic_load(&unclean);
}

void ff_gate_swept_by(bool (*by)(void))
{
	atomic_store(&sweep, by);
}

void ff_gate_note_unclean(void)
{
	atomic_store(&unclean, true);
}

void ff_gate_enter_move(void)
{
	enter(MOVE);
}

void ff_gate_leave_move(void)
{
	leave(MOVE, MOVES);
}

bool ff_gate_was_used(void)
{
	return atomic_load(&used);
}

void ff_gate_reset(void)
{
	atomic_store(&gate, 0);
	atomic_store(&sleepers, 0);
	atomic_store(&given_up, false);
	atomic_store(&unclean, false);
}
FF_IN_NEW_PROCESS(ff_gate_reset);
