/* Pure, but for the table of error texts, which is libc's. */
#include "spawn/parent/report.h"

#include "libc/weak.h"

FF_WEAK(strerrordesc_np)

#include <string.h>

#include "spawn/steps.h"
#include "tell/line.h"

enum shows {
	NONE,
	FD,
	FDS,
	TEXT,
	NUMBER,
};

static const struct {
	const char *name;
	uint8_t shows;
} kinds[] = {
#define X(id, name, shows, table) { name, shows },
	FF_STEPS(X)
#undef X
};

const char *ff_step_name(enum ff_step_kind kind)
{
	return kinds[kind].name;
}

bool ff_report_step(const struct ff_plan *plan, struct ff_step *ret_step)
{
	const struct ff_report *report = &plan->report;

	if (!report->error || report->phase >= FF_PHASE_COUNT ||
	    report->index >= plan->steps[report->phase].count)
		return false;
	*ret_step = ff_step_at(plan, report->phase, report->index);
	return ret_step->kind < FF_STEP_COUNT;
}

/* @most: bytes of a path, which is cut to it. */
static void show(struct ff_line *line, const struct ff_step *step, size_t most)
{
	switch (kinds[step->kind].shows) {
	case FD:
		ff_line_signed(line, step->fd);
		break;
	case FDS:
		ff_line_signed(line, step->fd);
		ff_line_str(line, " to ");
		ff_line_signed(line, step->number);
		break;
	case TEXT:
		ff_line_foreign(line, step->text, most);
		break;
	case NUMBER:
		ff_line_signed(line, step->number);
		break;
	default:
		break;
	}
}

char *ff_step_argument(const struct ff_step *step, char *text, size_t size)
{
	struct ff_line line = ff_line_start(text, size);

	show(&line, step, size);
	text[line.used] = '\0';
	return text;
}

static void tell_step(struct ff_line *line, const struct ff_step *step,
		      size_t most)
{
	bool is_text = kinds[step->kind].shows == TEXT;

	ff_line_str(line, kinds[step->kind].name);
	if (kinds[step->kind].shows != NONE)
		ff_line_str(line, is_text ? " \"" : " ");
	show(line, step, most);
	if (is_text)
		ff_line_char(line, '"');
}

unsigned ff_report_index(const struct ff_plan *plan)
{
	return plan->report.index +
	       (plan->report.phase == FF_PHASE_LAST ?
			plan->steps[FF_PHASE_ATTRIBUTES].count :
			0);
}

/* A path ends early enough for what comes behind it. @before: bytes that are
 * still to be written before it. */
static size_t room_for_path(const struct ff_line *line, size_t before,
			    const char *error)
{
	size_t others =
		line->used + before + strlen("\": ") + strlen(error) + 1;

	return others < line->size ? line->size - others : 0;
}

char *ff_report_text(const struct ff_plan *plan, char *text, size_t size)
{
	struct ff_line line = ff_line_start(text, size);
	const char *error = NULL;
	struct ff_step step;

	if (strerrordesc_np)
		error = strerrordesc_np(plan->report.error);
	if (!error)
		error = "unknown error";
	if (ff_report_step(plan, &step)) {
		ff_line_str(&line, plan->report.phase == FF_PHASE_ACTIONS ?
					   "action " :
					   "attribute ");
		ff_line_unsigned(&line, ff_report_index(plan), 10);
		ff_line_str(&line, ": ");
		tell_step(&line, &step,
			  room_for_path(&line,
					strlen(kinds[step.kind].name) +
						strlen(" \""),
					error));
	} else if (plan->report.phase == FF_PHASE_EXEC) {
		ff_line_str(&line, "exec \"");
		ff_line_foreign(&line, plan->file,
				room_for_path(&line, 0, error));
		ff_line_char(&line, '"');
	} else {
		ff_line_str(&line, "new process");
	}
	ff_line_str(&line, ": ");
	ff_line_str(&line, error);
	text[line.used] = '\0';
	return text;
}
