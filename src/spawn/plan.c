/*
 * What can be known of a plan before it is walked. Pure.
 *
 * A child that shares its parent's table of descriptors costs the same
 * however big that is, and holds no copy of what another thread is about to
 * close (ETXTBSY). Two kinds of plans allow it:
 *
 *  - no step looks at descriptors: exec makes the copy, in the kernel
 *  - everything from n up is closed, and no step before that needs anything
 *    at or above n. Then the copy is made first, of what is below n only.
 *
 * Hazards:
 * H-S1 The table is the parent's until the copy is made: no step may change
 *      it before. The copy is the child's first call.
 *      A pidfd lands in it, too: the child closes it in its copy.
 * H-S2 An earlier step on a high descriptor moves n up, above it; the
 *      closefrom then is a step like any other. So does a close: where its
 *      number is at or above the present limit it is an error that what it
 *      names is not open.
 * H-S3 A path may lead to a descriptor (/proc/self/fd/20, or a link to it).
 *      Nobody can tell that from a path, so the only one allowed before the
 *      closefrom is /dev/null, opened and nothing more; should that fail and
 *      it is a link to a descriptor, everything is done again with a copy.
 */
#include "spawn/plan.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "spawn/steps.h"

enum table {
	NEITHER,
	READS,
	CHANGES,
};

static const uint8_t table_of[] = {
#define X(id, name, shows, table) table,
	FF_STEPS(X)
#undef X
		CHANGES, /* none of them */
};

static bool leaves_the_table_alone(const struct ff_plan *plan, int phase)
{
	unsigned i;

	for (i = 0; i < plan->steps[phase].count; i++)
		if (table_of[ff_step_at(plan, phase, i).kind] != NEITHER)
			return false;
	return true;
}

static bool raise_to(int *bound, int fd)
{
	if (fd == INT_MAX)
		return false;
	if (fd >= *bound)
		*bound = fd + 1;
	return true;
}

/* Can it be done where nothing is left at and above *bound, which is raised
 * above what it needs? */
static bool is_harmless(const struct ff_step *step, int *bound)
{
	switch (step->kind) {
	case FF_STEP_DUP2:
		return raise_to(bound, step->fd) &&
		       raise_to(bound, step->number);
	case FF_STEP_OPEN:
		return strcmp(step->text, "/dev/null") == 0 &&
		       !(step->number & ~(O_ACCMODE | O_CLOEXEC)) &&
		       raise_to(bound, step->fd);
	case FF_STEP_CLOSERANGE:
		return true; /* of what is not open: no error either */
	case FF_STEP_CLOSE:
	case FF_STEP_SAVE:
	case FF_STEP_RESTORE:
	case FF_STEP_FCHDIR:
	case FF_STEP_TCSETPGRP:
		return raise_to(bound, step->fd);
	default:
		return table_of[step->kind] == NEITHER;
	}
}

static bool closes_from(struct ff_plan *plan)
{
	struct ff_step step;
	int bound = 0;
	unsigned i;

	if (!leaves_the_table_alone(plan, FF_PHASE_ATTRIBUTES))
		return false;
	for (i = 0; i < plan->steps[FF_PHASE_ACTIONS].count; i++) {
		step = ff_step_at(plan, FF_PHASE_ACTIONS, i);
		if (step.kind == FF_STEP_CLOSEFROM && step.fd >= 0) {
			plan->closefrom = i;
			plan->skip = bound <= step.fd ? i : UINT_MAX;
			plan->unshare_from = bound <= step.fd ? step.fd : bound;
			return true;
		}
		if (!is_harmless(&step, &bound))
			return false;
	}
	return false;
}

enum ff_files ff_plan_files(struct ff_plan *plan)
{
	int phase;

	plan->unshare_from = -1;
	plan->skip = UINT_MAX;
	if (closes_from(plan))
		return FF_FILES_UNSHARE;
	for (phase = 0; phase < FF_PHASE_COUNT; phase++)
		if (!leaves_the_table_alone(plan, phase))
			return FF_FILES_COPY;
	return FF_FILES_SHARE;
}

bool ff_plan_ties_to_parent(const struct ff_plan *plan)
{
	const struct ff_steps *last = &plan->steps[FF_PHASE_LAST];

	return last->count &&
	       last->step[last->count - 1].kind == FF_STEP_PDEATHSIG;
}

bool ff_plan_changes_ids(const struct ff_plan *plan)
{
	int phase;
	unsigned i;

	for (phase = 0; phase < FF_PHASE_COUNT; phase++)
		for (i = 0; i < plan->steps[phase].count; i++)
			switch (ff_step_at(plan, phase, i).kind) {
			case FF_STEP_RESETIDS:
			case FF_STEP_GROUPS:
			case FF_STEP_GID:
			case FF_STEP_UID:
				return true;
			default:
				break;
			}
	return false;
}
