/* What went wrong, in words. */
#ifndef FF_SPAWN_PARENT_REPORT_H
#define FF_SPAWN_PARENT_REPORT_H

#include <stddef.h>

#include "spawn/plan.h"

/*
 * plan->report as one line of text without a newline, of @size bytes at most
 * with its zero: `action 3: open "/x/y": No such file or directory`. A long
 * path is cut, not the reason. Steps are counted from 0. Returns @text.
 */
char *ff_report_text(const struct ff_plan *plan, char *text, size_t size);

/* The step of the report; false where it was the exec, or no step. */
bool ff_report_step(const struct ff_plan *plan, struct ff_step *ret_step);

/* Which one it is: actions are counted by themselves, all else together. */
unsigned ff_report_index(const struct ff_plan *plan);

/* What errors call this kind of step. */
const char *ff_step_name(enum ff_step_kind kind);

/* What it is about: a path, or numbers; "" for none. Returns @text, cut to
 * @size bytes with its zero. */
char *ff_step_argument(const struct ff_step *step, char *text, size_t size);

#endif
