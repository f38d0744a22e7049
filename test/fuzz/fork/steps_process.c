/* The process: ids, groups, limits, scheduling, directory. */
#include "scene.h"
#include "state.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static long relation(pid_t id)
{
	return id < 0		   ? -errno :
	       id == getpid()	   ? 1 :
	       id == state_sibling ? 2 :
				     3;
}

static long ask_ids(struct rng *r)
{
	switch (rng_below(r, 5)) {
	case 0:
		return relation(getpgrp());
	case 1:
		return relation(getsid(0));
	case 2:
		return relation(getppid());
	case 3:
		return (long)geteuid() * 100000 + getegid();
	default:
		return gettid() == getpid();
	}
}

static long lead_group(struct rng *r)
{
	return step_result(setpgid(rng_percent(r, 50) ? getpid() : 0,
				   rng_percent(r, 80) ? 0 : state_sibling));
}

static long lead_session(struct rng *r)
{
	(void)r;
	return relation(setsid());
}

static long change_umask(struct rng *r)
{
	return umask((mode_t)rng_below(r, 01000));
}

static long change_directory(struct rng *r)
{
	static const char *const dirs[] = {
		"sub", "deep", "..", "/", "file", "", "/proc", "missing"
	};

	if (rng_percent(r, 30))
		return step_result(fchdir(scene_dir_fd));
	return step_result(chdir(RNG_PICK(r, dirs)));
}

static long change_limit(struct rng *r)
{
	static const int which[] = { RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_MEMLOCK,
				     RLIMIT_FSIZE, RLIMIT_STACK };
	static const rlim_t to[] = { 0, 10, 40, 1000, 5000, 1 << 20, 8 << 20 };
	int kind = RNG_PICK(r, which);
	rlim_t soft = RNG_PICK(r, to);
	struct rlimit rl;

	if (kind == RLIMIT_STACK && soft < 1 << 20)
		soft = 1 << 20;
	if (getrlimit(kind, &rl))
		return -errno;
	if (rng_percent(r, 80) && soft <= rl.rlim_max)
		rl.rlim_cur = soft;
	return step_result(setrlimit(kind, &rl));
}

static long change_scheduling(struct rng *r)
{
	struct sched_param zero = { 0 };
	cpu_set_t now;

	switch (rng_below(r, 6)) {
	case 0:
		errno = 0;
		return nice((int)rng_below(r, 3));
	case 1:
		return step_result(
			setpriority(PRIO_PROCESS, 0, (int)rng_below(r, 5)));
	case 2:
		return step_result(sched_setscheduler(
			0, rng_percent(r, 50) ? SCHED_BATCH : SCHED_IDLE,
			&zero));
	case 3:
		return sched_getaffinity(0, sizeof(now), &now) ?
			       -errno :
			       step_result(
				       sched_setaffinity(0, sizeof(now), &now));
	case 4:
		return sched_getscheduler(0);
	default:
		return getpriority(PRIO_PROCESS, 0);
	}
}

static long change_settings(struct rng *r)
{
	char name[32] = "";
	int value = 0;

	switch (rng_below(r, 12)) {
	case 0:
		return prctl(PR_SET_NAME, "fuzz child");
	case 1:
		prctl(PR_GET_NAME, name);
		return name[0];
	case 2:
		return prctl(PR_SET_PDEATHSIG, SIGTERM);
	case 3:
		return prctl(PR_GET_PDEATHSIG, &value) * 100 + value;
	case 4:
		return prctl(PR_SET_DUMPABLE, (int)rng_below(r, 2));
	case 5:
		return prctl(PR_GET_DUMPABLE);
	case 6:
		return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	case 7:
		return step_result(prctl(PR_SET_KEEPCAPS, 1));
	case 8:
		return prctl(PR_SET_TIMERSLACK, 60000);
	case 9:
		return prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	case 10:
		return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	default:
		return personality(0xffffffff);
	}
}

static long change_ids(struct rng *r)
{
	static const gid_t groups[] = { 65534, 7, 3 };

	switch (rng_below(r, 6)) {
	case 0:
		return step_result(setgroups(rng_below(r, 4), groups));
	case 1:
		return step_result(setegid(65534));
	case 2:
		return step_result(seteuid(rng_percent(r, 50) ? 65534 : 0));
	case 3:
		return step_result(setgid(getgid()));
	case 4:
		return step_result(setresuid((uid_t)-1, getuid(), (uid_t)-1));
	default:
		return step_result(setuid(getuid()));
	}
}

static long stand_apart(struct rng *r)
{
	return step_result(
		unshare(rng_percent(r, 50) ? CLONE_FILES : CLONE_FS));
}

const struct step steps_process[] = {
	QUIET(8, ask_ids),
	QUIET(3, lead_group),
	QUIET(2, lead_session),
	QUIET(3, change_umask),
	QUIET(3, change_directory),
	QUIET(4, change_limit),
	QUIET(5, change_scheduling),
	QUIET(6, change_settings),
	STEP(3, change_ids),
	STEP(1, stand_apart),
	{ 0 },
};
