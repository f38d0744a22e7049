/* See found.h. */
#include "found.h"
#include "state.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

int32_t found_meaning(int32_t id, int32_t pid)
{
	if (id == pid)
		return FOUND_OWN;
	if (id == getpid())
		return FOUND_PARENTS;
	if (id == state_sibling)
		return FOUND_SIBLINGS;
	return id;
}

/* Inode numbers of what is new in each process. */
static void normalise_fd(struct witness_fd *fd, const struct scene_effect *e)
{
	if (fd->ino == e->made_ino && fd->dev == e->made_dev)
		fd->ino = 1;
	if (major(fd->dev) == 0 && fd->mode && !S_ISFIFO(fd->mode)) {
		struct stat proc;

		if (!stat("/proc/self", &proc) && proc.st_dev == fd->dev)
			fd->ino = 2;
	}
}

void found_normalise(struct witness *w, const struct scene_effect *e)
{
	int32_t pid = w->pid;

	w->group = found_meaning(w->group, pid);
	w->session = found_meaning(w->session, pid);
	w->parent = found_meaning(w->parent, pid);
	w->pid = 0;
	for (int i = 0; i < w->nr_fds; i++)
		normalise_fd(&w->fds[i], e);
}

int found_status(pid_t child, int *ret_stops)
{
	int status = 0, flags = ret_stops ? WUNTRACED : 0;
	pid_t got;

	for (;;) {
		got = waitpid(child, &status, flags);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got < 0)
			continue;
		if (got != child || !WIFSTOPPED(status))
			return got == child ? status : -1;
		++*ret_stops;
		kill(child, SIGCONT);
	}
}

int found_leftover(int flags)
{
	pid_t got;

	while ((got = waitpid(-1, NULL, WNOHANG | flags)) < 0)
		if (errno != EINTR)
			return -errno;
	return got;
}

void found_report(struct witness *ret)
{
	if (scene_report->complete)
		memcpy(ret, (const void *)scene_report, sizeof(*ret));
}

void compare(struct difference *d, const char *what, long a, long b)
{
	if (a == b)
		return;
	d->any = true;
	if (d->print)
		dprintf(scene_log, "  %s: %ld (%#lx) and %ld (%#lx)\n", what, a,
			(unsigned long)a, b, (unsigned long)b);
}

void compare_ints(struct difference *d, const char *what, const int *a,
		  const int *b, int n)
{
	char name[64];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s %d", what, i);
		compare(d, name, a[i], b[i]);
	}
}

static void compare_fds(struct difference *d, const struct witness *a,
			const struct witness *b)
{
	int n = a->nr_fds < b->nr_fds ? a->nr_fds : b->nr_fds;
	char what[64];

	compare(d, "descriptors", a->nr_fds, b->nr_fds);
	for (int i = 0; i < n; i++) {
		const struct witness_fd *x = &a->fds[i], *y = &b->fds[i];

		snprintf(what, sizeof(what), "%d. descriptor, %d", i, x->fd);
		if (!memcmp(x, y, sizeof(*x)))
			continue;
		compare(d, what, x->fd, y->fd);
		compare(d, "  its flags", x->flags, y->flags);
		compare(d, "  its status", x->status, y->status);
		compare(d, "  its mode", x->mode, y->mode);
		compare(d, "  its offset", x->offset, y->offset);
		compare(d, "  its device", (long)x->dev, (long)y->dev);
		compare(d, "  its inode", (long)x->ino, (long)y->ino);
	}
}

#define WITNESS_NUMBERS(X)                                                   \
	X(parent)                                                            \
	X(group)                                                             \
	X(session)                                                           \
	X(nr_groups)                                                         \
	X(blocked)                                                           \
	X(ignored)                                                           \
	X(caught)                                                            \
	X(pending)                                                           \
	X(policy)                                                            \
	X(priority)                                                          \
	X(nice)                                                              \
	X(umask)                                                             \
	X(pdeathsig)                                                         \
	X(dumpable)                                                          \
	X(no_new_privs)                                                      \
	X(thp_disable)                                                       \
	X(keepcaps)                                                          \
	X(securebits)                                                        \
	X(slack) X(subreaper) X(personality) X(altstack) X(affinity) X(argc) \
		X(envc) X(args) X(env) X(cwd_bytes)

void found_compare(struct difference *d, const struct witness *a,
		   const struct witness *b)
{
#define X(field) compare(d, #field, (long)a->field, (long)b->field);
	WITNESS_NUMBERS(X)
#undef X
	compare_ints(d, "id", (const int *)a->ids, (const int *)b->ids, 6);
	compare_ints(d, "group", (const int *)a->groups, (const int *)b->groups,
		     WITNESS_GROUPS);
	for (int i = 0; i < WITNESS_LIMITS; i++) {
		compare(d, "soft limit", (long)a->limits[i][0],
			(long)b->limits[i][0]);
		compare(d, "hard limit", (long)a->limits[i][1],
			(long)b->limits[i][1]);
	}
	compare(d, "cwd", 0, memcmp(a->cwd, b->cwd, sizeof(a->cwd)) != 0);
	compare_fds(d, a, b);
}
