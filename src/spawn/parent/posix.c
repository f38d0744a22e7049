/* What libc's objects say, as a plan. */
#include "spawn/parent/posix.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/page.h"
#include "host/signals.h"
#include "libc/actions.h"
#include "libc/attributes.h"
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
#define ATTRIBUTES_MAX 5

bool ff_posix_knows(const struct ff_posix_call *call)
{
	return (!call->attr || ff_libc_attributes_are_known(call->attr)) &&
	       (!call->actions || ff_libc_actions_are_known(call->actions));
}

/* In glibc's order. Returns how many. */
static unsigned attributes(const struct ff_libc_attributes *attr,
			   struct ff_step step[ATTRIBUTES_MAX])
{
	unsigned n = 0;

	if (attr->flags & POSIX_SPAWN_SETSIGDEF)
		step[n++] = (struct ff_step){ .kind = FF_STEP_SIGDEF,
					      .signals = attr->defaults };
	if (attr->flags & POSIX_SPAWN_SETSCHEDULER)
		step[n++] = (struct ff_step){ .kind = FF_STEP_SCHEDULER,
					      .number = attr->policy,
					      .parameter = attr->priority };
	else if (attr->flags & POSIX_SPAWN_SETSCHEDPARAM)
		step[n++] = (struct ff_step){ .kind = FF_STEP_SCHEDPARAM,
					      .number = attr->priority,
					      .parameter = attr->priority };
	if (attr->flags & POSIX_SPAWN_SETSID)
		step[n++] = (struct ff_step){ .kind = FF_STEP_SETSID };
	if (attr->flags & POSIX_SPAWN_SETPGROUP)
		step[n++] = (struct ff_step){ .kind = FF_STEP_SETPGID,
					      .number = attr->group };
	if (attr->flags & POSIX_SPAWN_RESETIDS)
		step[n++] = (struct ff_step){ .kind = FF_STEP_RESETIDS };
	return n;
}

/* What the program said may be nowhere, or behind a protection key: that is an
 * error of exec, and no fault. */
static bool is_text(const char *s)
{
	uintptr_t page;

	for (;; s = (const char *)page) {
		if (!ff_may_read_word(
			    (const void *)ff_page_floor((uintptr_t)s)))
			return false;
		page = ff_page_floor((uintptr_t)s) + FF_PAGE;
		if (memchr(s, '\0', page - (uintptr_t)s))
			return true;
	}
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
	if (!ff_log_wanted())
		return error;
	if (!is_text(plan->file))
		plan->file = "(can't be read)";
	log_spawn(plan, error, pid, name, caller);
	return error;
}

int ff_posix_spawn(int *ret, const struct ff_posix_call *call, const char *name,
		   const void *caller)
{
	const struct ff_libc_attributes attr =
		call->attr ? ff_libc_attributes(call->attr) :
			     (struct ff_libc_attributes){ 0 };
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
		(struct ff_steps){ attribute, attributes(&attr, attribute) };
	if (call->actions)
		plan.libc_actions =
			ff_libc_actions(call->actions,
					&plan.steps[FF_PHASE_ACTIONS].count);
	if (attr.flags & FF_LIBC_SETCGROUP) {
		birth.flags = CLONE_INTO_CGROUP;
		birth.cgroup = attr.cgroup;
	}
	if (attr.flags & POSIX_SPAWN_SETSIGMASK) {
		plan.mask_is_set = true;
		plan.mask = attr.mask;
	}
	if (call->get_pidfd)
		birth.ret_pidfd = &pidfd;
	error = spawn_logged(&plan, &birth, &pid, name, caller);
	if (!error && ret)
		*ret = call->get_pidfd ? pidfd : pid;
	errno = saved;
	return error;
}
