/*
 * Runs on the program's stack, in any thread, possibly in a signal handler.
 *
 * Hazards
 *  H-E4 A fork function that is not libc's may clone without running handlers.
 *       So where another object has one, real forks count from before their
 *       handlers.
 */
#include "ways/pass.h"

#include <stdatomic.h>
#include <stddef.h>

#include "host/clock.h"
#include "host/newborn.h"
#include "host/sandbox.h"
#include "libc/threads.h"
#include "process/filter.h"
#include "process/gate.h"
#include "process/turn.h"
#include "ways/cost.h"

_Thread_local struct ff_pass ff_passing
	__attribute__((tls_model("initial-exec")));

static bool trusted;

void ff_pass_trust_libc(void)
{
	trusted = true;
}

bool ff_pass_trusts_libc(void)
{
	return trusted;
}

bool ff_pass_can_copy(void)
{
	ff_sigset mask;
	bool can;

	if (!ff_gate_is_unclean())
		return true;
	mask = ff_block_signals();
	ff_gate_enter_real();
	can = ff_gate_sweep();
	ff_gate_leave_real();
	ff_setmask(mask);
	return can;
}

bool ff_pass_is_inside(void)
{
	return ff_passing.inside || ff_passing.turn || ff_passing.counted;
}

struct ff_pass ff_pass_begin(void)
{
	const struct ff_pass before = ff_passing;

	ff_passing = (struct ff_pass){ .inside = ff_pass_is_inside() };
	return before;
}

struct ff_pass ff_pass_begin_real(void)
{
	const struct ff_pass before = ff_pass_begin();

	ff_passing.real = true;
	if (!trusted)
		ff_pass_count(false);
	return before;
}

/* Nobody is to wait for one who waits. */
static void uncount(void)
{
	if (ff_passing.counted)
		ff_gate_leave_real();
	ff_passing.counted = false;
}

bool ff_pass_take_turn(ff_sigset mask)
{
	struct ff_turn_wait wait = { 0 };

	if (ff_passing.inside || ff_passing.turn || !ff_may_have_threads())
		return true;
	uncount();
	while (!(ff_passing.turn = ff_turn_try(&wait))) {
		ff_setmask(mask);
		ff_flight_end();
		ff_turn_await(&wait);
		if (!ff_flight_begin())
			return false;
		ff_filter_block_signals();
	}
	return true;
}

void ff_pass_count(bool sweeps)
{
	const bool counted = ff_passing.counted;

	/* First, so that a signal handler's fork does not wait for it. */
	ff_passing.counted = true;
	if (!counted)
		ff_gate_enter_real();
	if (!sweeps)
		return;
	ff_gate_sweep();
	ff_passing.from_ns = ff_cost_is_asked() ? ff_now_ns() : 0;
}

void ff_pass_count_now(void)
{
	const bool sweeps = ff_flight_begin();

	ff_pass_count(sweeps);
	if (sweeps)
		ff_flight_end();
}

void ff_pass_leave(void)
{
	struct ff_slot *slot = ff_passing.slot;
	const uint32_t turn = ff_passing.turn;

	if (ff_passing.counted || (slot && slot->real))
		ff_gate_leave_real();
	if (slot)
		slot->real = false;
	if (turn)
		ff_turn_give(turn);
	/* Where an unseen fork of a handler came to be met in its place, the
	 * real one is still to come. */
	ff_passing = (struct ff_pass){
		.real = ff_passing.real,
		.inside = ff_passing.inside,
		.took_ns = ff_passing.from_ns ?
				   ff_now_ns() - ff_passing.from_ns :
				   ff_passing.took_ns,
	};
}

void ff_pass_part(void)
{
	if (ff_passing.more)
		ff_passing.more--;
	else if (ff_passing.met)
		ff_pass_leave();
}

int64_t ff_pass_end(const struct ff_pass *before)
{
	int64_t took_ns;

	ff_pass_leave();
	took_ns = ff_passing.took_ns;
	ff_passing = *before;
	return took_ns;
}

void ff_pass_reset(void)
{
	ff_passing = (struct ff_pass){ 0 };
}
FF_IN_NEW_PROCESS(ff_pass_reset);
