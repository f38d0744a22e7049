/* The description: its actions, and the map, which becomes several. Runs as
 * builder.c. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "api/builder.h"

static int add(struct flatfork_spawn *spawn, int fd, struct ff_step step)
{
	if (!ff_actions_valid_fd(fd))
		return EBADF;
	step.fd = fd;
	return ff_actions_add(&spawn->actions, &step);
}

int flatfork_spawn_open(struct flatfork_spawn *spawn, int fd, const char *path,
			int flags, mode_t mode)
{
	if (!path)
		return EINVAL;
	return add(spawn, fd,
		   (struct ff_step){ .kind = FF_STEP_OPEN,
				     .number = flags,
				     .text = path,
				     .mode = mode });
}

int flatfork_spawn_dup2(struct flatfork_spawn *spawn, int from, int to)
{
	if (!ff_actions_valid_fd(to))
		return EBADF;
	return add(spawn, from,
		   (struct ff_step){ .kind = FF_STEP_DUP2, .number = to });
}

int flatfork_spawn_close(struct flatfork_spawn *spawn, int fd)
{
	return add(spawn, fd, (struct ff_step){ .kind = FF_STEP_CLOSE });
}

int flatfork_spawn_close_from(struct flatfork_spawn *spawn, int from)
{
	return add(spawn, from, (struct ff_step){ .kind = FF_STEP_CLOSEFROM });
}

int flatfork_spawn_chdir(struct flatfork_spawn *spawn, const char *path)
{
	struct ff_step step = { .kind = FF_STEP_CHDIR, .text = path };

	if (!path)
		return EINVAL;
	return ff_actions_add(&spawn->actions, &step);
}

int flatfork_spawn_fchdir(struct flatfork_spawn *spawn, int fd)
{
	return add(spawn, fd, (struct ff_step){ .kind = FF_STEP_FCHDIR });
}

int flatfork_spawn_foreground(struct flatfork_spawn *spawn, int fd)
{
	return add(spawn, fd, (struct ff_step){ .kind = FF_STEP_TCSETPGRP });
}

/* ---- the map ---- */

/* Is the number @fd still to be read, by another one than @but? */
static bool is_needed(const struct flatfork_fd *map, const bool *done,
		      size_t count, size_t but, int fd)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (i != but && !done[i] && map[i].from == fd)
			return true;
	return false;
}

/* All moves whose target nobody needs any more; false: none was left. */
static bool move_free_ones(struct flatfork_spawn *spawn,
			   const struct flatfork_fd *map, bool *done,
			   size_t count, int *error)
{
	bool moved = false;
	size_t i;

	for (i = 0; i < count && !*error; i++) {
		if (done[i] || is_needed(map, done, count, i, map[i].to))
			continue;
		*error = flatfork_spawn_dup2(spawn, map[i].from, map[i].to);
		done[i] = true;
		moved = true;
	}
	return moved;
}

/* A ring: one of it is kept aside, the others then follow. */
static void move_ring(struct flatfork_spawn *spawn,
		      const struct flatfork_fd *map, bool *done, size_t count,
		      size_t first, int *error)
{
	*error = add(spawn, map[first].from,
		     (struct ff_step){ .kind = FF_STEP_SAVE });
	done[first] = true;
	while (!*error && move_free_ones(spawn, map, done, count, error))
		;
	if (!*error)
		*error = add(spawn, map[first].to,
			     (struct ff_step){ .kind = FF_STEP_RESTORE });
}

static int compare(const void *a, const void *b)
{
	const struct flatfork_fd *x = a, *y = b;

	return (x->to > y->to) - (x->to < y->to);
}

/* Close what lies between the sorted targets, and above, from 3 up. */
static int close_gaps(struct flatfork_spawn *spawn,
		      const struct flatfork_fd *sorted, size_t count)
{
	struct ff_step step = { .kind = FF_STEP_CLOSEFROM };
	int next = 3, error;
	size_t i;

	for (i = 0; i < count; i++) {
		if (sorted[i].to > next) {
			error = add(
				spawn, next,
				(struct ff_step){ .kind = FF_STEP_CLOSERANGE,
						  .number = sorted[i].to - 1 });
			if (error)
				return error;
		}
		if (sorted[i].to >= next)
			next = sorted[i].to + 1;
	}
	/* Behind the last number that is allowed there may be older ones. */
	step.fd = next;
	return ff_actions_add(&spawn->actions, &step);
}

static int add_map(struct flatfork_spawn *spawn, struct flatfork_fd *sorted,
		   bool *done, size_t count, bool close_others)
{
	int error = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		if (!ff_actions_valid_fd(sorted[i].from) ||
		    !ff_actions_valid_fd(sorted[i].to))
			return EBADF;
		if (i && sorted[i].to == sorted[i - 1].to)
			return EINVAL;
	}
	while (move_free_ones(spawn, sorted, done, count, &error) && !error)
		;
	for (i = 0; i < count && !error; i++)
		if (!done[i])
			move_ring(spawn, sorted, done, count, i, &error);
	if (!error && close_others)
		error = close_gaps(spawn, sorted, count);
	return error;
}

int flatfork_spawn_map(struct flatfork_spawn *spawn,
		       const struct flatfork_fd *map, size_t count,
		       bool close_others)
{
	unsigned before = spawn->actions.count;
	struct flatfork_fd *sorted;
	int error = ENOMEM;
	bool *done;
	size_t i;

	if (count > INT_MAX || (count && !map))
		return EINVAL;
	sorted = calloc(count + 1, sizeof(*sorted));
	done = calloc(count + 1, sizeof(*done));
	if (sorted && done) {
		for (i = 0; i < count; i++)
			sorted[i] = map[i];
		qsort(sorted, count, sizeof(*sorted), compare);
		error = add_map(spawn, sorted, done, count, close_others);
	}
	free(sorted);
	free(done);
	if (error)
		spawn->actions.count = before; /* none of these has a path */
	return error;
}
