/* See ending.h. */
#include "ending.h"
#include "scene.h"
#include "state.h"
#include "world.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Inodes that were there before; what a child makes gets new numbers. */
static uint64_t known[300];
static unsigned nr_known;

static void know(const struct stat *st)
{
	if (nr_known < sizeof(known) / sizeof(*known))
		known[nr_known++] = st->st_ino;
}

void ending_prepare(void)
{
	static const char *const names[] = { "file", "target", "witness",
					     "report", "/etc/passwd" };
	struct stat st;

	nr_known = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!fstatat(scene_dir_fd, names[i], &st, 0))
			know(&st);
	for (int fd = 0; fd < 700; fd++)
		if (!fstat(fd, &st))
			know(&st);
}

static void normalise(struct ending *o)
{
	const int fresh = 3;

	/* comes at any time, where there is a storm */
	o->found.pending &=
		~((uint64_t)1 << (SIGURG - 1) | (uint64_t)1 << (SIGCONT - 1));

	found_normalise(&o->found, &o->effect);
	o->effect.made_ino = o->effect.made_dev = 0;
	for (int i = 0; i < o->found.nr_fds; i++) {
		struct witness_fd *fd = &o->found.fds[i];
		unsigned n = 0;

		if (S_ISDIR(fd->mode) || S_ISCHR(fd->mode))
			continue;
		while (n < nr_known && known[n] != fd->ino)
			n++;
		if (n == nr_known)
			fd->ino = fresh;
	}
}

static uint64_t shared_digest(void)
{
	const struct region *g = &world[WORLD_SHARED];

	return world_hash(g->at, (size_t)g->pages * WORLD_PAGE);
}

void ending_wait(struct ending *ret, pid_t child, int error)
{
	memset(ret, 0, sizeof(*ret));
	if (child < 0)
		ret->error = error;
	else
		ret->wait = found_status(child, &ret->stops);
	ret->errno_kept = child < 0 ? 0 : error;
	if (around_stops())
		ret->stops = 0;
	ret->is_cut =
		around_has_killed() && (ret->wait == SIGKILL || !state_reaps);
}

void ending_get(struct ending *ret)
{
	ret->leftover = found_leftover(0);
	pread(child_said_fd, ret->said, sizeof(ret->said) - 1, 0);
	found_report(&ret->found);
	ret->shared = shared_digest();
	scene_effect(&ret->effect);
	scene_restore();
	normalise(ret);
}

/* The words of both up to where they part. */
static void print_said(const char *ours, const char *libc)
{
	size_t i = 0, line = 0;

	for (; ours[i] && ours[i] == libc[i]; i++)
		if (ours[i] == '\n')
			line = i + 1;
	dprintf(scene_log, "%.*s", (int)line, ours);
	if (ours[i] != libc[i])
		dprintf(scene_log, "--- ours:\n%s--- libc's:\n%s", ours + line,
			libc + line);
}

/* What it did up to any moment. */
static void compare_deeds(struct difference *d, const struct ending *a,
			  const struct ending *b)
{
	compare(d, "status", a->wait, b->wait);
	compare(d, "stops", a->stops, b->stops);
	for (unsigned i = 0; i < AROUND_MAX; i++)
		compare(d, around_name(i), (long)a->around[i],
			(long)b->around[i]);
	compare(d, "shared memory", (long)a->shared, (long)b->shared);
	compare(d, "mode of made", a->effect.made_mode, b->effect.made_mode);
	compare(d, "bytes of target", a->effect.target_bytes,
		b->effect.target_bytes);
	compare(d, "what it left said", 0, strcmp(a->said, b->said) != 0);
	compare(d, "what it said", 0,
		strcmp(a->found.said, b->found.said) != 0);
	compare(d, "reports", a->found.complete, b->found.complete);
	if (a->found.complete && b->found.complete)
		found_compare(d, &a->found, &b->found);
}

bool ending_same(const struct ending *a, const struct ending *b, bool print)
{
	struct difference d = { print, false };

	compare(&d, "error of fork", a->error, b->error);
	compare(&d, "wait for more", a->leftover, b->leftover);
	compare(&d, "errno", a->errno_kept, b->errno_kept);
	compare(&d, "state kept", a->state_kept, b->state_kept);
	compare(&d, "signals kept", a->signals_kept, b->signals_kept);
	compare(&d, "memory kept", a->memory_kept, 1);
	if (!a->is_cut && !b->is_cut)
		compare_deeds(&d, a, b);
	if (print) {
		print_said(a->said, b->said);
		print_said(a->found.said, b->found.said);
	}
	return !d.any;
}
