/*
 * libc's file actions where they lie. They are read, in parent and child, and
 * never copied: a spawn allocates nothing, whatever their number.
 *
 * Hazards:
 * H-S13 Their layout is libc's secret. glibc's has been this since 2.29, and
 *       kinds are only appended; whether the libc that is there has it is
 *       asked of it, and what holds a kind, a size or a word that is not known
 *       is libc's to spawn (posix.c).
 */
#ifndef FF_LIBC_ACTIONS_H
#define FF_LIBC_ACTIONS_H

#include "spawn/plan.h"

enum ff_libc_tag {
	FF_LIBC_CLOSE,
	FF_LIBC_DUP2,
	FF_LIBC_OPEN,
	FF_LIBC_CHDIR,
	FF_LIBC_FCHDIR,
	FF_LIBC_CLOSEFROM, /* 2.34 */
	FF_LIBC_TCSETPGRP, /* 2.35 */
	FF_LIBC_TAGS,
};

/* glibc's struct __spawn_action */
struct ff_libc_action {
	unsigned tag;
	union {
		struct {
			int fd;
			int to; /* DUP2 */
		};
		struct {
			int fd;
			const char *path;
			int flags;
			mode_t mode;
		} open;
		struct {
			const char *path;
		} chdir;
	};
};

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

/* Has libc this layout, and are these all of known kinds? Context: any. */
bool ff_libc_actions_are_known(const struct ff_libc_action *actions,
			       unsigned count);

/* Step @i of a phase, whoever described it. */
static inline struct ff_step ff_step_at(const struct ff_plan *plan, int phase,
					unsigned i)
{
	return phase == FF_PHASE_ACTIONS && plan->libc_actions ?
		       ff_step_of_libc(&plan->libc_actions[i]) :
		       plan->steps[phase].step[i];
}

#endif
