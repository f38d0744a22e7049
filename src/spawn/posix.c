/*
 * Hazards:
 * H-S13 An actions object may be libc's: made before this object was loaded,
 *       or by a copy of libc that is not interposed. Ours carry a mark in the
 *       padding that libc zeroes and never looks at; what is not empty and
 *       has no mark is libc's, and goes to libc whole.
 */
#include "spawn/posix.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>

#include "host/libc.h"
#include "site/name.h"
#include "spawn/report.h"
#include "spawn/spawn.h"
#include "tell/log.h"
#include "tell/stats.h"

#define DEFAULT_PATH "/bin:/usr/bin"
#define LIBC_SIGNALS (FF_SIG(32) | FF_SIG(33)) /* libc never blocks them */
#define ATTRIBUTES_MAX 5
#define MARK_WORDS 4

static const int mark[MARK_WORDS] = { 0x66667370, 0x61776e5f, 0x2e763031,
				      (int)0xb7e15163 };

enum ff_owner ff_actions_owner(const posix_spawn_file_actions_t *actions)
{
	if (!memcmp(actions->__pad, mark, sizeof(mark)))
		return FF_OWNER_US;
	return actions->__used == 0 ? FF_OWNER_NOBODY : FF_OWNER_LIBC;
}

void ff_actions_init(posix_spawn_file_actions_t *actions)
{
	memset(actions, 0, sizeof(*actions));
	memcpy(actions->__pad, mark, sizeof(mark));
}

static struct ff_actions actions_of(const posix_spawn_file_actions_t *actions)
{
	return (struct ff_actions){
		(struct ff_step *)(void *)actions->__actions,
		(unsigned)actions->__used, (unsigned)actions->__allocated
	};
}

static void put_back(posix_spawn_file_actions_t *actions,
		     const struct ff_actions *list)
{
	actions->__actions = (struct __spawn_action *)(void *)list->step;
	actions->__used = (int)list->count;
	actions->__allocated = (int)list->room;
}

int ff_actions_append(posix_spawn_file_actions_t *actions,
		      const struct ff_step *step)
{
	struct ff_actions list;
	int error;

	if (ff_actions_owner(actions) != FF_OWNER_US) {
		/* Room that libc made is of no use; it is libc's malloc's. */
		free(actions->__actions);
		ff_actions_init(actions);
	}
	list = actions_of(actions);
	error = ff_actions_add(&list, step);
	put_back(actions, &list);
	return error;
}

void ff_actions_destroy(posix_spawn_file_actions_t *actions)
{
	struct ff_actions list = actions_of(actions);

	ff_actions_free(&list);
	put_back(actions, &list);
}

int *ff_attr_cgroup(posix_spawnattr_t *attr)
{
	/* A word of the padding, in headers before 2.39. */
	return &attr->__policy + 1;
}

static ff_sigset set_of(const sigset_t *set)
{
	ff_sigset word;

	memcpy(&word, set, sizeof(word));
	return word;
}

/* In glibc's order. Returns how many. */
static unsigned attributes(const posix_spawnattr_t *attr,
			   struct ff_step step[ATTRIBUTES_MAX])
{
	int flags = attr ? attr->__flags : 0;
	unsigned n = 0;

	if (flags & POSIX_SPAWN_SETSIGDEF)
		step[n++] = (struct ff_step){ .kind = FF_STEP_SIGDEF,
					      .signals = set_of(&attr->__sd) };
	if (flags & POSIX_SPAWN_SETSCHEDULER)
		step[n++] =
			(struct ff_step){ .kind = FF_STEP_SCHEDULER,
					  .number = attr->__policy,
					  .parameter =
						  attr->__sp.sched_priority };
	else if (flags & POSIX_SPAWN_SETSCHEDPARAM)
		step[n++] =
			(struct ff_step){ .kind = FF_STEP_SCHEDPARAM,
					  .number = attr->__sp.sched_priority,
					  .parameter =
						  attr->__sp.sched_priority };
	if (flags & POSIX_SPAWN_SETSID)
		step[n++] = (struct ff_step){ .kind = FF_STEP_SETSID };
	if (flags & POSIX_SPAWN_SETPGROUP)
		step[n++] = (struct ff_step){ .kind = FF_STEP_SETPGID,
					      .number = attr->__pgrp };
	if (flags & POSIX_SPAWN_RESETIDS)
		step[n++] = (struct ff_step){ .kind = FF_STEP_RESETIDS };
	return n;
}

static void log_spawn(const struct ff_plan *plan, int error, int child,
		      const char *name, const void *caller)
{
	char where[FF_SITE_NAME_MAX], why[256];

	ff_site_name(caller, where);
	if (error)
		ff_log("%s at %s: failed: %s", name, where,
		       ff_report_text(plan, why, sizeof(why)));
	else
		ff_log("%s at %s: spawn: \"%s\" is %d", name, where, plan->file,
		       child);
}

int ff_spawn_logged(struct ff_plan *plan, const struct ff_birth *birth,
		    pid_t *ret_pid, const char *name, const void *caller)
{
	pid_t pid = -1;
	int error = ff_spawn(plan, birth, &pid);

	if (!error) {
		*ret_pid = pid;
		ff_stats.spawns++;
	}
	if (ff_log_wanted())
		log_spawn(plan, error, pid, name, caller);
	return error;
}

int ff_posix_spawn(int *ret, const struct ff_posix_call *call, const char *name,
		   const void *caller)
{
	struct ff_step attribute[ATTRIBUTES_MAX];
	struct ff_plan plan = {
		.file = call->file,
		.argv = call->argv,
		.envp = call->envp,
		/* Seen in what the children of older libcs inherit. */
		.ignore_libc_signals = ff_libc_is_before(38),
	};
	struct ff_birth birth = { 0, -1, NULL };
	int error, pidfd = -1, saved = errno;
	struct ff_actions list;
	pid_t pid = -1;

	if (call->search) {
		plan.search = getenv("PATH");
		if (!plan.search)
			plan.search = DEFAULT_PATH;
	}
	plan.steps[FF_PHASE_ATTRIBUTES] =
		(struct ff_steps){ attribute,
				   attributes(call->attr, attribute) };
	if (call->actions) {
		list = actions_of(call->actions);
		plan.steps[FF_PHASE_ACTIONS] =
			(struct ff_steps){ list.step, list.count };
	}
	if (call->attr && call->attr->__flags & FF_SPAWN_SETCGROUP) {
		birth.flags = CLONE_INTO_CGROUP;
		birth.cgroup = *ff_attr_cgroup((posix_spawnattr_t *)call->attr);
	}
	if (call->attr && call->attr->__flags & POSIX_SPAWN_SETSIGMASK) {
		plan.mask_is_set = true;
		plan.mask = set_of(&call->attr->__ss) & ~LIBC_SIGNALS;
	}
	if (call->get_pidfd)
		birth.ret_pidfd = &pidfd;
	error = ff_spawn_logged(&plan, &birth, &pid, name, caller);
	if (!error && ret)
		*ret = call->get_pidfd ? pidfd : pid;
	errno = saved;
	return error;
}
