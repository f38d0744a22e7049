/* Carrying out a program, and saying it in words. */
#include "program.h"
#include "scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int add(const struct impl *f, posix_spawn_file_actions_t *fa,
	       const struct action *a)
{
	switch (a->kind) {
	case ACTION_OPEN:
		return f->posix_spawn_file_actions_addopen(fa, a->fd, a->path,
							   a->oflag, a->mode);
	case ACTION_CLOSE:
		return f->posix_spawn_file_actions_addclose(fa, a->fd);
	case ACTION_DUP2:
		return f->posix_spawn_file_actions_adddup2(fa, a->fd, a->fd2);
	case ACTION_CHDIR:
		return a->posix_name ?
			       f->posix_spawn_file_actions_addchdir(fa,
								    a->path) :
			       f->posix_spawn_file_actions_addchdir_np(fa,
								       a->path);
	case ACTION_FCHDIR:
		return a->posix_name ?
			       f->posix_spawn_file_actions_addfchdir(fa,
								     a->fd) :
			       f->posix_spawn_file_actions_addfchdir_np(fa,
									a->fd);
	case ACTION_CLOSEFROM:
		return f->posix_spawn_file_actions_addclosefrom_np(fa, a->fd);
	case ACTION_TCSETPGRP:
		return f->posix_spawn_file_actions_addtcsetpgrp_np(fa, a->fd);
	}
	return -1;
}

static void set(const struct impl *f, posix_spawnattr_t *at,
		const struct program *p, struct built *b)
{
	struct sched_param param = { .sched_priority = p->priority };

	if (p->settings & 1)
		b->set[0] = f->posix_spawnattr_setflags(at, p->flags);
	if (p->settings & 2)
		b->set[1] = f->posix_spawnattr_setsigmask(at, &p->mask);
	if (p->settings & 4)
		b->set[2] = f->posix_spawnattr_setsigdefault(at, &p->defaults);
	if (p->settings & 8)
		b->set[3] = f->posix_spawnattr_setpgroup(at, p->pgroup);
	if (p->settings & 16)
		b->set[4] = f->posix_spawnattr_setschedpolicy(at, p->policy);
	if (p->settings & 32)
		b->set[5] = f->posix_spawnattr_setschedparam(at, &param);
}

static void get(const struct impl *f, posix_spawnattr_t *at, struct built *b)
{
	struct sched_param param = { .sched_priority = -77 };
	sigset_t mask, defaults;

	b->get[0] = f->posix_spawnattr_getflags(at, &b->flags);
	b->get[1] = f->posix_spawnattr_getsigmask(at, &mask);
	b->get[2] = f->posix_spawnattr_getsigdefault(at, &defaults);
	b->get[3] = f->posix_spawnattr_getpgroup(at, &b->pgroup);
	b->get[4] = f->posix_spawnattr_getschedpolicy(at, &b->policy);
	b->get[5] = f->posix_spawnattr_getschedparam(at, &param);
	b->priority = param.sched_priority;
	memcpy(&b->mask, &mask, sizeof(b->mask));
	memcpy(&b->defaults, &defaults, sizeof(b->defaults));
}

int program_run(const struct program *p, const struct impl *f,
		struct built *ret_built, int *ret_child)
{
	posix_spawn_file_actions_t fa, *use_fa = NULL;
	posix_spawnattr_t at, *use_at = NULL;
	__typeof__(&posix_spawn) spawn;
	int rc;

	memset(ret_built, 0, sizeof(*ret_built));
	if (p->has_attr) {
		use_at = &at;
		ret_built->get[6] = f->posix_spawnattr_init(&at);
		set(f, &at, p, ret_built);
		get(f, &at, ret_built);
	}
	if (p->has_actions) {
		use_fa = &fa;
		ret_built->get[7] = f->posix_spawn_file_actions_init(&fa);
		for (int i = 0; i < p->nr_actions; i++)
			ret_built->add[i] = add(f, &fa, &p->actions[i]);
	}
	spawn = p->search ? f->posix_spawnp : f->posix_spawn;
	if (p->pidfd)
		spawn = p->search ? f->pidfd_spawnp : f->pidfd_spawn;
	/* A search in a PATH of which no element is short enough finds nothing,
	 * and glibc returns the errno of before: here, that is none. */
	errno = 0;
	rc = spawn(ret_child, p->file, use_fa, use_at, p->argv, p->envp);
	if (use_fa)
		f->posix_spawn_file_actions_destroy(&fa);
	if (use_at)
		f->posix_spawnattr_destroy(&at);
	return rc;
}

static void print_action(const struct action *a)
{
	static const char *const names[] = { "open",	 "close",  "dup2",
					     "chdir",	 "fchdir", "closefrom",
					     "tcsetpgrp" };

	dprintf(scene_log, "  action %s fd %d", names[a->kind], a->fd);
	if (a->kind == ACTION_DUP2)
		dprintf(scene_log, " to %d", a->fd2);
	if (a->kind == ACTION_OPEN)
		dprintf(scene_log, " flags %#x mode %o", a->oflag, a->mode);
	if (a->kind == ACTION_OPEN || a->kind == ACTION_CHDIR)
		dprintf(scene_log, " \"%.60s\"", a->path);
	dprintf(scene_log, "\n");
}

void program_print(const struct program *p)
{
	uint64_t mask, defaults;

	memcpy(&mask, &p->mask, sizeof(mask));
	memcpy(&defaults, &p->defaults, sizeof(defaults));
	dprintf(scene_log, "  %s%s \"%.60s\" PATH \"%.60s\"\n",
		p->pidfd ? "pidfd_spawn" : "posix_spawn", p->search ? "p" : "",
		p->file, p->path ? p->path : "(unset)");
	if (p->has_attr)
		dprintf(scene_log,
			"  attr settings %#x flags %#x mask %lx default %lx "
			"group %d policy %d priority %d\n",
			p->settings & 63, p->flags, mask, defaults, p->pgroup,
			p->policy, p->priority);
	for (int i = 0; i < p->nr_actions; i++)
		print_action(&p->actions[i]);
}
