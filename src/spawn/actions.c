/* Runs in the parent, long before any child: malloc and its kin. */
#include "spawn/actions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM_STEP 8

static bool has_text(const struct ff_step *step)
{
	return step->kind == FF_STEP_OPEN || step->kind == FF_STEP_CHDIR;
}

static int make_room(struct ff_actions *actions)
{
	unsigned room = actions->room + ROOM_STEP;
	struct ff_step *more;

	if (actions->count < actions->room)
		return 0;
	more = realloc(actions->step, room * sizeof(*more));
	if (!more)
		return ENOMEM;
	actions->step = more;
	actions->room = room;
	return 0;
}

int ff_actions_add(struct ff_actions *actions, const struct ff_step *step)
{
	char *text = NULL;

	if (has_text(step)) {
		text = strdup(step->text);
		if (!text)
			return ENOMEM;
	}
	if (make_room(actions)) {
		free(text);
		return ENOMEM;
	}
	actions->step[actions->count] = *step;
	if (text)
		actions->step[actions->count].text = text;
	actions->count++;
	return 0;
}

bool ff_actions_valid_fd(int fd)
{
	long most = sysconf(_SC_OPEN_MAX);

	return fd >= 0 && (most < 0 || fd < most);
}

void ff_actions_free(struct ff_actions *actions)
{
	unsigned i;

	for (i = 0; i < actions->count; i++)
		if (has_text(&actions->step[i]))
			free((char *)actions->step[i].text);
	free(actions->step);
	*actions = (struct ff_actions){ NULL, 0, 0 };
}
