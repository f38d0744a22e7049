/* What libc's objects say, as a plan. The attributes have a public layout. */
#include "spawn/parent/posix.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>

#include "libc/actions.h"
#include "libc/libc.h"
#include "process/stopwatch.h"
#include "site/name.h"
#include "site/tally.h"
#include "spawn/parent/report.h"
#include "spawn/parent/spawn.h"
#include "tell/log.h"
#include "tell/probe.h"
#include "tell/stats.h"

#define DEFAULT_PATH "/bin:/usr/bin"
#define LIBC_SIGNALS (FF_SIG(32) | FF_SIG(33)) /* libc never blocks them */
#define ATTRIBUTES_MAX 5
#define SETCGROUP 0x100 /* glibc 2.39's; what older headers lack */
#define FLAGS                                                   \
	(POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP |         \
	 POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |       \
	 POSIX_SPAWN_SETSCHEDPARAM | POSIX_SPAWN_SETSCHEDULER | \
	 POSIX_SPAWN_USEVFORK | POSIX_SPAWN_SETSID)

static bool is_zero(const int *word, const void *end)
{
	while ((const void *)word < end)
		if (*word++)
			return false;
	return true;
}

/* A word of the padding, in headers before 2.39. */
static const int *cgroup_of(const posix_spawnattr_t *attr)
{
	return &attr->__policy + 1;
}

static bool knows_attributes(const posix_spawnattr_t *attr)
{
	const int *rest = cgroup_of(attr);
	int flags = FLAGS;

	if (!ff_libc_is_before(39)) {
		flags |= SETCGROUP;
		rest++;
	}
	return !(attr->__flags & ~flags) && is_zero(rest, attr + 1);
}

static bool knows_actions(const posix_spawn_file_actions_t *actions)
{
	if (!is_zero(actions->__pad, actions + 1) || actions->__used < 0 ||
	    actions->__used > actions->__allocated)
		return false;
	return actions->__used == 0 ||
	       ff_libc_actions_are_known((const void *)actions->__actions,
					 (unsigned)actions->__used);
}

bool ff_posix_knows(const struct ff_posix_call *call)
{
	return (!call->attr || knows_attributes(call->attr)) &&
	       (!call->actions || knows_actions(call->actions));
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

/* ff_spawn(), counted and logged. */
static int spawn_logged(struct ff_plan *plan, const struct ff_birth *birth,
			pid_t *ret_pid, const char *name, const void *caller)
{
	const struct ff_tally_call call = { caller, name };
	const int64_t from = ff_stopwatch_start();
	pid_t pid = -1;
	int error = ff_spawn(plan, birth, &pid);

	ff_tally_made(&call, error ? FF_TALLY_failed : FF_TALLY_spawned,
		      error ? 0 : ff_stopwatch_ns(from));
	FF_PROBE(spawned, caller, name, plan->file, pid, error);
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
		.short_names = !ff_libc_is_before(43),
		.libc_signals = ff_libc_is_before(38) ?
					FF_LIBC_SIGNALS_IGNORED :
					FF_LIBC_SIGNALS_IGNORED_WITHOUT_CLONE3,
	};
	struct ff_birth birth = { 0, -1, NULL };
	int error, pidfd = -1, saved = errno;
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
		plan.libc_actions = (const void *)call->actions->__actions;
		plan.steps[FF_PHASE_ACTIONS].count =
			(unsigned)call->actions->__used;
	}
	if (call->attr && call->attr->__flags & SETCGROUP) {
		birth.flags = CLONE_INTO_CGROUP;
		birth.cgroup = *cgroup_of(call->attr);
	}
	if (call->attr && call->attr->__flags & POSIX_SPAWN_SETSIGMASK) {
		plan.mask_is_set = true;
		plan.mask = set_of(&call->attr->__ss) & ~LIBC_SIGNALS;
	}
	if (call->get_pidfd)
		birth.ret_pidfd = &pidfd;
	error = spawn_logged(&plan, &birth, &pid, name, caller);
	if (!error && ret)
		*ret = call->get_pidfd ? pidfd : pid;
	errno = saved;
	return error;
}
