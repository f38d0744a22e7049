#include "lazy/parent/advice.h"

#include <sys/mman.h>

#include "host/page.h"
#include "host/sandbox.h"
#include "libc/threads.h"
#include "process/filter.h"
#include "process/gate.h"
#include "process/noted.h"
#include "process/stance.h"
#include "tell/options.h"

bool ff_advice_concerns_fork(int advice)
{
	return advice == MADV_DONTFORK || advice == MADV_DOFORK ||
	       advice == MADV_WIPEONFORK || advice == MADV_KEEPONFORK;
}

static uintptr_t floor_of(const void *start)
{
	return ff_page_floor((uintptr_t)start);
}

static uintptr_t end_of(const void *start, size_t bytes)
{
	return ff_page_ceiling((uintptr_t)start + bytes);
}

bool ff_advice_any_dontfork(void)
{
	return ff_noted_any_dontfork();
}

bool ff_advice_is_noted(const void *start, size_t bytes)
{
	return ff_noted_any() &&
	       ff_noted_any_in(floor_of(start), end_of(start, bytes));
}

void ff_advice_begin(struct ff_advice_window *window)
{
	window->gated = ff_is_on() && ff_flight_begin();
	if (!window->gated)
		return;
	/* To the gate this is like a real fork: it waits for marks. */
	window->mask = ff_filter_block_signals();
	ff_gate_enter_real();
	/* Later a mark of ours would not be told from one of the program's. */
	ff_gate_sweep();
}

void ff_advice_end(const struct ff_advice_window *window)
{
	if (!window->gated)
		return;
	ff_gate_leave_real();
	ff_setmask(window->mask);
	ff_flight_end();
}

void ff_advice_begin_move(struct ff_advice_window *window)
{
	window->gated =
		ff_is_on() && ff_may_have_threads() && ff_flight_begin();
	window->blocked = window->gated && ff_gate_was_used();
	if (!window->gated)
		return;
	/* A handler that does not return would leave the gate shut. */
	if (window->blocked)
		window->mask = ff_filter_block_signals();
	ff_gate_enter_move();
}

void ff_advice_end_move(const struct ff_advice_window *window)
{
	if (!window->gated)
		return;
	ff_gate_leave_move();
	if (window->blocked)
		ff_setmask(window->mask);
	ff_flight_end();
}

void ff_advice_note(const struct ff_advice_window *window, const void *start,
		    size_t bytes, int advice)
{
	if (window->gated &&
	    (advice == MADV_DONTFORK || advice == MADV_WIPEONFORK))
		ff_noted_add(floor_of(start), end_of(start, bytes),
			     advice == MADV_WIPEONFORK);
}

void ff_advice_given(const struct ff_advice_window *window, const void *start,
		     size_t bytes, int advice)
{
	if (window->gated &&
	    (advice == MADV_DOFORK || advice == MADV_KEEPONFORK))
		ff_noted_take_back(floor_of(start), end_of(start, bytes),
				   advice == MADV_KEEPONFORK);
}

void ff_advice_gone(const struct ff_advice_window *window, const void *start,
		    size_t bytes)
{
	if (window->gated)
		ff_noted_drop(floor_of(start), end_of(start, bytes));
}

void ff_advice_copied(const struct ff_advice_window *window, const void *start,
		      size_t bytes, const void *to, size_t to_bytes)
{
	if (window->gated)
		ff_noted_copy(floor_of(start), end_of(start, bytes),
			      floor_of(to), end_of(to, to_bytes));
}
