/* The steps of a plan, whoever described them: ours or libc's. */
#ifndef FF_SPAWN_STEPS_H
#define FF_SPAWN_STEPS_H

#include "libc/actions.h"
#include "spawn/plan.h"

static inline struct ff_step ff_step_of_libc(const struct ff_libc_action *a)
{
	static const uint8_t kind[FF_LIBC_TAGS] = {
		[FF_LIBC_CLOSE] = FF_STEP_CLOSE,
		[FF_LIBC_DUP2] = FF_STEP_DUP2,
		[FF_LIBC_OPEN] = FF_STEP_OPEN,
		[FF_LIBC_CHDIR] = FF_STEP_CHDIR,
		[FF_LIBC_FCHDIR] = FF_STEP_FCHDIR,
		[FF_LIBC_CLOSEFROM] = FF_STEP_CLOSEFROM,
		[FF_LIBC_TCSETPGRP] = FF_STEP_TCSETPGRP,
	};
	/* Changed since it was looked at: a kind that no child does. */
	struct ff_step step = { .kind = FF_STEP_COUNT };

	if (a->tag >= FF_LIBC_TAGS)
		return step;
	step.kind = kind[a->tag];
	step.fd = a->fd;
	switch (a->tag) {
	case FF_LIBC_DUP2:
		step.number = a->to;
		break;
	case FF_LIBC_OPEN:
		step.number = a->open.flags;
		step.text = a->open.path;
		step.mode = a->open.mode;
		break;
	case FF_LIBC_CHDIR:
		step.fd = 0;
		step.text = a->chdir.path;
		break;
	}
	return step;
}

/* Step @i of a phase, whoever described it. */
static inline struct ff_step ff_step_at(const struct ff_plan *plan, int phase,
					unsigned i)
{
	return phase == FF_PHASE_ACTIONS && plan->libc_actions ?
		       ff_step_of_libc(&plan->libc_actions[i]) :
		       plan->steps[phase].step[i];
}

#endif
