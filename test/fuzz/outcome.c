/* What came of a program. Numbers that differ from child to child become what
 * they stand for. */
#include "outcome.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	UNTOUCHED = -12345,
};

/* Numbers that differ from child to child by what they mean. */
enum {
	ITS_OWN = 1,
	THE_PARENTS = 2,
	THE_SIBLINGS = 3,
};

static int32_t meaning(int32_t id, int32_t pid)
{
	if (id == pid)
		return ITS_OWN;
	if (id == getpid())
		return THE_PARENTS;
	if (id == state_sibling)
		return THE_SIBLINGS;
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

/*
 * A justified difference: POSIX_SPAWN_RESETIDS where it changes an id turns
 * the dumpable flag of the *parent* off, by libc: the child borrows the memory
 * that the flag belongs to. Ours keeps it.
 */
static void normalise(struct outcome *o)
{
	struct witness *w = &o->found;
	int32_t pid = w->pid;

	w->group = meaning(w->group, pid);
	w->session = meaning(w->session, pid);
	w->parent = meaning(w->parent, pid);
	w->pid = 0;
	for (int i = 0; i < w->nr_fds; i++)
		normalise_fd(&w->fds[i], &o->effect);
	o->effect.made_ino = 0;
	o->effect.made_dev = 0;
}

static int wait_for(const struct program *p, int child)
{
	siginfo_t info = { .si_pid = 0 };
	int status = 0;
	pid_t got;

	if (p->pidfd) {
		while (waitid(P_PIDFD, (id_t)child, &info, WEXITED) < 0)
			if (errno != EINTR)
				return -errno;
		return info.si_code == CLD_EXITED ? info.si_status << 8 :
						    info.si_status;
	}
	while ((got = waitpid(child, &status, 0)) < 0)
		if (errno != EINTR)
			return -errno;
	return got == child ? status : -1;
}

static void see_terminal(struct outcome *o, const struct program *p)
{
	bool moved = false;

	for (int i = 0; i < p->nr_actions; i++)
		moved |= p->actions[i].kind == ACTION_TCSETPGRP;
	if (!moved || state_tty < 0)
		return;
	o->foreground = meaning(tcgetpgrp(state_tty), o->found.pid);
	if (o->foreground > THE_SIBLINGS) /* the one that failed thereafter */
		o->foreground = ITS_OWN;
	tcsetpgrp(state_tty, getpid());
}

void outcome_get(struct outcome *ret, const struct program *p,
		 const struct impl *impl)
{
	uint64_t before = state_digest();
	int dumpable = prctl(PR_GET_DUMPABLE);
	int child = UNTOUCHED;

	memset(ret, 0, sizeof(*ret));
	scene_report->complete = 0;
	ret->rc = program_run(p, impl, &ret->built, &child);
	ret->child_set = child != UNTOUCHED;
	if (!ret->rc) {
		if (p->pidfd)
			ret->fd_flags = fcntl(child, F_GETFD);
		ret->wait = wait_for(p, child);
		if (p->pidfd)
			close(child);
	}
	do
		ret->leftover = waitpid(-1, NULL, WNOHANG | __WALL);
	while (ret->leftover < 0 && errno == EINTR);
	if (ret->leftover < 0)
		ret->leftover = -errno;
	if (scene_report->complete)
		memcpy(&ret->found, (const void *)scene_report,
		       sizeof(ret->found));
	see_terminal(ret, p);
	scene_effect(&ret->effect);
	scene_restore();
	ret->state_kept = state_digest() == before;
	ret->dumpable_kept = prctl(PR_GET_DUMPABLE) == dumpable;
	prctl(PR_SET_DUMPABLE, dumpable);
	normalise(ret);
}

struct difference {
	bool print, any;
};

static void compare(struct difference *d, const char *what, long a, long b)
{
	if (a == b)
		return;
	d->any = true;
	if (d->print)
		dprintf(scene_log, "  %s: %ld (%#lx) and %ld (%#lx)\n", what, a,
			(unsigned long)a, b, (unsigned long)b);
}

static void compare_ints(struct difference *d, const char *what, const int *a,
			 const int *b, int n)
{
	char name[64];

	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%s %d", what, i);
		compare(d, name, a[i], b[i]);
	}
}

static void compare_built(struct difference *d, const struct built *a,
			  const struct built *b)
{
	compare_ints(d, "setter", a->set, b->set, 6);
	compare_ints(d, "getter", a->get, b->get, PROGRAM_GETTERS);
	compare_ints(d, "action", a->add, b->add, PROGRAM_ACTIONS);
	compare(d, "flags", a->flags, b->flags);
	compare(d, "sigmask", (long)a->mask, (long)b->mask);
	compare(d, "sigdefault", (long)a->defaults, (long)b->defaults);
	compare(d, "pgroup", a->pgroup, b->pgroup);
	compare(d, "policy", a->policy, b->policy);
	compare(d, "priority", a->priority, b->priority);
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

#define WITNESS_NUMBERS(X)                                                     \
	X(parent)                                                              \
	X(group)                                                               \
	X(session)                                                             \
	X(nr_groups)                                                           \
	X(blocked)                                                             \
	X(ignored)                                                             \
	X(caught)                                                              \
	X(pending)                                                             \
	X(policy)                                                              \
	X(priority)                                                            \
	X(nice)                                                                \
	X(umask)                                                               \
	X(pdeathsig) X(dumpable) X(no_new_privs) X(thp_disable) X(keepcaps)    \
		X(securebits) X(slack) X(subreaper) X(personality) X(altstack) \
			X(affinity) X(argc) X(envc) X(args) X(env)             \
				X(cwd_bytes)

static void compare_found(struct difference *d, const struct witness *a,
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

bool outcome_same(const struct outcome *a, const struct outcome *b, bool print)
{
	struct difference d = { print, false };

	compare(&d, "returned", a->rc, b->rc);
	compare(&d, "status", a->wait, b->wait);
	compare(&d, "pid written", a->child_set, b->child_set);
	compare(&d, "foreground", a->foreground, b->foreground);
	compare(&d, "flags of the pidfd", a->fd_flags, b->fd_flags);
	compare(&d, "wait for more", a->leftover, b->leftover);
	compare(&d, "state kept", a->state_kept, b->state_kept);
	if (b->dumpable_kept || impl_differ)
		compare(&d, "dumpable kept", a->dumpable_kept, 1);
	compare(&d, "signals kept", a->signals_kept, b->signals_kept);
	compare(&d, "mode of made", a->effect.made_mode, b->effect.made_mode);
	compare(&d, "bytes of target", a->effect.target_bytes,
		b->effect.target_bytes);
	compare(&d, "reports", a->found.complete, b->found.complete);
	compare_built(&d, &a->built, &b->built);
	if (a->found.complete == b->found.complete)
		compare_found(&d, &a->found, &b->found);
	return !d.any;
}
