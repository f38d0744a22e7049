#include "lazy/advice.h"

#include <stdint.h>
#include <sys/mman.h>

#include "host/sandbox.h"
#include "lazy/areas.h"
#include "lazy/child.h"
#include "lazy/gate.h"
#include "lazy/marks.h"
#include "tell/options.h"

bool ff_advice_concerns_fork(int advice)
{
	return advice == MADV_DONTFORK || advice == MADV_DOFORK ||
	       advice == MADV_WIPEONFORK || advice == MADV_KEEPONFORK;
}

void ff_advice_begin(struct ff_advice_window *window, void *start, size_t bytes,
		     int advice)
{
	window->gated = ff_options.on && !ff_child.active && ff_flight_begin();
	if (!window->gated)
		return;
	/* To the gate this is like a real fork: it waits for marks. */
	window->mask = ff_block_signals();
	ff_gate_enter_real();
	/* Later a mark of ours would not be told from one of the program's. */
	if (advice == MADV_DONTFORK)
		ff_marks_sweep();
	ff_areas_note_advice((uintptr_t)start, bytes, advice);
}

void ff_advice_end(const struct ff_advice_window *window)
{
	if (!window->gated)
		return;
	ff_gate_leave_real();
	ff_setmask(window->mask);
	ff_flight_end();
}
