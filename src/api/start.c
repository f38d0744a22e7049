/*
 * From a description to a child. Runs in the caller's process; nothing is
 * allocated, the description is only read.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "api/builder.h"
#include "arch/arch.h"
#include "host/fault.h"
#include "host/privilege.h"
#include "host/sys.h"
#include "libc/environment.h"
#include "spawn/parent/report.h"
#include "spawn/parent/spawn.h"
#include "tell/line.h"

#define DEFAULT_PATH "/bin:/usr/bin"
#define CGROUP_FILE "/cgroup.procs"

/* Everything of one start that is not the description's. */
struct start {
	struct ff_plan plan;
	struct ff_birth birth;
	struct ff_step attribute[FF_HAS_FIRST_LAST + 1]; /* and a cgroup */
	struct ff_step last[FF_HAS_COUNT - FF_HAS_FIRST_LAST];
	char cgroup_file[PATH_MAX];
	int cgroup; /* opened here, or -1 */
	int pidfd;
};

static unsigned collect(const struct flatfork_spawn *spawn, int from, int to,
			struct ff_step *step)
{
	unsigned n = 0;
	int i;

	for (i = from; i < to; i++)
		if (spawn->has[i])
			step[n++] = spawn->step[i];
	return n;
}

/* By path: version 2 is born into, version 1 joined by the child. */
static int open_cgroup(struct start *start, const char *path, unsigned *count)
{
	size_t n = strlen(path);
	struct statfs fs;
	long fd, rc;

	fd = sys(openat, AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return (int)-fd;
	rc = sys(fstatfs, fd, &fs);
	if (rc == 0 && fs.f_type == CGROUP2_SUPER_MAGIC) {
		start->cgroup = (int)fd;
		start->birth.flags |= CLONE_INTO_CGROUP;
		start->birth.cgroup = (int)fd;
		return 0;
	}
	sys(close, fd);
	if (rc < 0 || fs.f_type != CGROUP_SUPER_MAGIC)
		return rc < 0 ? (int)-rc : EBADF;
	memcpy(start->cgroup_file, path, n);
	memcpy(start->cgroup_file + n, CGROUP_FILE, sizeof(CGROUP_FILE));
	start->attribute[(*count)++] =
		(struct ff_step){ .kind = FF_STEP_WRITE,
				  .text = start->cgroup_file,
				  .written = "0" };
	return 0;
}

/* Which one it is born into; an errno. */
static int find_cgroup(struct start *start, const struct flatfork_spawn *spawn,
		       unsigned *count)
{
	if (spawn->cgroup_path)
		return open_cgroup(start, spawn->cgroup_path, count);
	if (!spawn->cgroup_is_set)
		return 0;
	if (spawn->cgroup < 0)
		return EBADF;
	start->birth.flags |= CLONE_INTO_CGROUP;
	start->birth.cgroup = spawn->cgroup;
	return 0;
}

/* An errno: there will be no child. */
static int prepare(struct start *start, const struct flatfork_spawn *spawn)
{
	struct ff_plan *plan = &start->plan;
	unsigned n;
	int error;

	n = collect(spawn, 0, FF_HAS_FIRST_LAST, start->attribute);
	start->birth.flags = spawn->birth;
	error = find_cgroup(start, spawn, &n);
	if (error)
		return error;
	plan->steps[FF_PHASE_ATTRIBUTES] =
		(struct ff_steps){ start->attribute, n };
	plan->steps[FF_PHASE_ACTIONS] =
		(struct ff_steps){ spawn->actions.step, spawn->actions.count };
	n = collect(spawn, FF_HAS_FIRST_LAST, FF_HAS_COUNT, start->last);
	plan->steps[FF_PHASE_LAST] = (struct ff_steps){ start->last, n };
	if (spawn->search) {
		plan->search = getenv("PATH");
		if (!plan->search)
			plan->search = DEFAULT_PATH;
	}
	plan->mask = spawn->mask;
	plan->mask_is_set = spawn->mask_is_set;
	return 0;
}

/* What the description asks of the kernel that only newer ones have. */
static void tell_needs(const struct flatfork_spawn *spawn,
		       struct flatfork_error *ret_error)
{
	static const struct {
		uint64_t flag;
		const char *name;
	} need[] = { { FF_CLONE_AUTOREAP, "AUTOREAP" },
		     { CLONE_AUTOKILL_, "AUTOKILL" },
		     { CLONE_NNP_, "BORN_NNP" } };
	struct ff_line argument =
		ff_line_start(ret_error->argument, sizeof(ret_error->argument));
	struct ff_line text =
		ff_line_start(ret_error->text, sizeof(ret_error->text));
	size_t i;

	for (i = 0; i < sizeof(need) / sizeof(*need); i++) {
		if (!(spawn->birth & need[i].flag))
			continue;
		if (argument.used)
			ff_line_str(&argument, ", ");
		ff_line_str(&argument, need[i].name);
	}
	if (!argument.used)
		ff_line_str(&argument, "a cgroup");
	argument.text[argument.used] = '\0';
	ff_line_str(&text, "new process with ");
	ff_line_str(&text, argument.text);
	ff_line_str(&text, ": the kernel is too old");
	text.text[text.used] = '\0';
}

static void tell(const struct ff_plan *plan, const struct flatfork_spawn *spawn,
		 struct flatfork_error *ret_error)
{
	const struct ff_report *report = &plan->report;
	struct ff_step step;

	ret_error->error = report->error;
	ret_error->index = ff_report_index(plan);
	ret_error->step = "clone";
	ret_error->argument[0] = '\0';
	ff_report_text(plan, ret_error->text, sizeof(ret_error->text));
	if (ff_report_step(plan, &step)) {
		ret_error->step = ff_step_name(step.kind);
		ff_step_argument(&step, ret_error->argument,
				 sizeof(ret_error->argument));
		ret_error->where = report->phase == FF_PHASE_ACTIONS ?
					   FLATFORK_IN_ACTION :
					   FLATFORK_IN_ATTRIBUTE;
		return;
	}
	ret_error->where = FLATFORK_IN_PROCESS;
	if (report->phase == FF_PHASE_EXEC) {
		ret_error->where = FLATFORK_IN_EXEC;
		ret_error->step = "exec";
		strncat(ret_error->argument, plan->file,
			sizeof(ret_error->argument) - 1);
	} else if (spawn && report->error == ENOTSUP) {
		tell_needs(spawn, ret_error);
	} else if (spawn && spawn->cgroup_path) {
		strncat(ret_error->argument, spawn->cgroup_path,
			sizeof(ret_error->argument) - 1);
	}
}

/* A name that is nowhere is exec's error, and is not told. */
static bool is_nowhere(const char *file)
{
	return sys(faccessat, AT_FDCWD, file, 0) == -EFAULT;
}

static void look_around(void)
{
	static _Atomic bool done;

	if (atomic_load(&done))
		return;
	if (!ff_is_privileged())
		ff_faults_load(ff_environment_value(FF_FAULT_VARIABLE));
	if (ff_on_valgrind())
		ff_spawn_never_share();
	atomic_store(&done, true);
}

int flatfork_start(const struct flatfork_spawn *spawn, const char *file,
		   char *const argv[], char *const envp[],
		   struct flatfork_child *ret_child,
		   struct flatfork_error *ret_error)
{
	struct start start;
	pid_t pid = -1;
	int error = file ? 0 : EFAULT;
	bool pidfd;

	look_around();
	memset(&start.plan, 0, sizeof(start.plan));
	start.birth = (struct ff_birth){ 0, -1, NULL };
	start.cgroup = start.pidfd = -1;
	start.plan.file = file ? file : "";
	start.plan.argv = argv;
	start.plan.envp = envp;
	if (spawn && !error)
		error = prepare(&start, spawn);
	pidfd = spawn && (spawn->pidfd || spawn->birth & CLONE_AUTOKILL_);
	if (pidfd && ret_child)
		start.birth.ret_pidfd = &start.pidfd;
	if (!error && !ret_child && start.birth.flags & CLONE_AUTOKILL_)
		error = EINVAL; /* nobody would have the pidfd */
	if (!error)
		error = ff_spawn(&start.plan, &start.birth, &pid);
	else
		start.plan.report = (struct ff_report){
			error, file ? FF_PHASE_CLONE : FF_PHASE_EXEC, 0
		};
	if (start.cgroup >= 0)
		sys(close, start.cgroup);
	if (error == EFAULT && is_nowhere(start.plan.file))
		start.plan.file = "";
	if (error && ret_error)
		tell(&start.plan, spawn, ret_error);
	if (!error && ret_child) {
		ret_child->pid = pid;
		ret_child->pidfd = start.pidfd;
	}
	return error;
}
