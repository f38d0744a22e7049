/* What came of a program. Numbers that differ from child to child become what
 * they stand for. */
#include "outcome.h"
#include "found.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	UNTOUCHED = -12345,
};

static void normalise(struct outcome *o)
{
	found_normalise(&o->found, &o->effect);
	o->effect.made_ino = 0;
	o->effect.made_dev = 0;
}

static int wait_for(const struct program *p, int child)
{
	siginfo_t info = { .si_pid = 0 };

	if (!p->pidfd)
		return found_status(child, NULL);
	while (waitid(P_PIDFD, (id_t)child, &info, WEXITED) < 0)
		if (errno != EINTR)
			return -errno;
	return info.si_code == CLD_EXITED ? info.si_status << 8 :
					    info.si_status;
}

static void see_terminal(struct outcome *o, const struct program *p)
{
	bool moved = false;

	for (int i = 0; i < p->nr_actions; i++)
		moved |= p->actions[i].kind == ACTION_TCSETPGRP;
	if (!moved || state_tty < 0)
		return;
	o->foreground = found_meaning(tcgetpgrp(state_tty), o->found.pid);
	if (o->foreground > FOUND_SIBLINGS) /* the one that failed thereafter */
		o->foreground = FOUND_OWN;
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
	ret->leftover = found_leftover(__WALL);
	found_report(&ret->found);
	see_terminal(ret, p);
	scene_effect(&ret->effect);
	scene_restore();
	ret->state_kept = state_digest() == before;
	ret->dumpable_kept = prctl(PR_GET_DUMPABLE) == dumpable;
	prctl(PR_SET_DUMPABLE, dumpable);
	normalise(ret);
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
	/*
	 * A justified difference: POSIX_SPAWN_RESETIDS where it changes an id
	 * turns the dumpable flag of the *parent* off, by libc: the child
	 * borrows the memory that the flag belongs to. Ours keeps it.
	 */
	if (b->dumpable_kept || impl_differ)
		compare(&d, "dumpable kept", a->dumpable_kept, 1);
	compare(&d, "signals kept", a->signals_kept, b->signals_kept);
	compare(&d, "mode of made", a->effect.made_mode, b->effect.made_mode);
	compare(&d, "bytes of target", a->effect.target_bytes,
		b->effect.target_bytes);
	compare(&d, "reports", a->found.complete, b->found.complete);
	compare_built(&d, &a->built, &b->built);
	if (a->found.complete == b->found.complete)
		found_compare(&d, &a->found, &b->found);
	return !d.any;
}
