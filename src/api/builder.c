/* The description: setters. Runs in the caller's process, as malloc may. */
#include "api/builder.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tell/line.h"

#define NEW_FLAGS (FF_CLONE_AUTOREAP | CLONE_NNP_ | CLONE_AUTOKILL_)

#define NAMESPACES                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

struct flatfork_spawn *flatfork_spawn_new(void)
{
	return calloc(1, sizeof(struct flatfork_spawn));
}

void flatfork_spawn_free(struct flatfork_spawn *spawn)
{
	if (!spawn)
		return;
	ff_actions_free(&spawn->actions);
	free(spawn->groups);
	free(spawn->cgroup_path);
	free(spawn);
}

static void put(struct flatfork_spawn *spawn, int which, struct ff_step step)
{
	spawn->step[which] = step;
	spawn->has[which] = true;
}

#define SET(spawn, which, ...) \
	put(spawn, FF_HAS_##which, (struct ff_step){ __VA_ARGS__ })

void flatfork_spawn_search_path(struct flatfork_spawn *spawn, bool on)
{
	spawn->search = on;
}

void flatfork_spawn_pidfd(struct flatfork_spawn *spawn, bool on)
{
	spawn->pidfd = on;
}

static ff_sigset set_of(const sigset_t *set)
{
	ff_sigset word = 0;

	if (set)
		memcpy(&word, set, sizeof(word));
	return word;
}

void flatfork_spawn_signal_mask(struct flatfork_spawn *spawn,
				const sigset_t *mask)
{
	spawn->mask = set_of(mask);
	spawn->mask_is_set = mask != NULL;
}

void flatfork_spawn_signals_default(struct flatfork_spawn *spawn,
				    const sigset_t *set)
{
	SET(spawn, SIGDEF, .kind = FF_STEP_SIGDEF, .signals = set_of(set));
}

void flatfork_spawn_signals_ignore(struct flatfork_spawn *spawn,
				   const sigset_t *set)
{
	SET(spawn, SIGIGN, .kind = FF_STEP_SIGIGN, .signals = set_of(set));
}

void flatfork_spawn_scheduler(struct flatfork_spawn *spawn, int policy,
			      int priority)
{
	SET(spawn, SCHEDULER, .kind = FF_STEP_SCHEDULER, .number = policy,
	    .parameter = priority);
}

void flatfork_spawn_nice(struct flatfork_spawn *spawn, int nice)
{
	SET(spawn, NICE, .kind = FF_STEP_NICE, .number = nice);
}

void flatfork_spawn_ioprio(struct flatfork_spawn *spawn, int value)
{
	SET(spawn, IOPRIO, .kind = FF_STEP_IOPRIO, .number = value);
}

int flatfork_spawn_affinity(struct flatfork_spawn *spawn, size_t bytes,
			    const cpu_set_t *set)
{
	if (!set || !bytes || bytes > FF_AFFINITY_MAX)
		return EINVAL;
	memcpy(spawn->affinity, set, bytes);
	SET(spawn, AFFINITY, .kind = FF_STEP_AFFINITY, .number = (int)bytes,
	    .data = spawn->affinity);
	return 0;
}

int flatfork_spawn_oom_score(struct flatfork_spawn *spawn, int score)
{
	struct ff_line line = ff_line_start(spawn->oom, sizeof(spawn->oom));

	if (score < -1000 || score > 1000)
		return EINVAL;
	ff_line_signed(&line, score);
	line.text[line.used] = '\0';
	SET(spawn, OOM, .kind = FF_STEP_WRITE,
	    .text = "/proc/self/oom_score_adj", .written = spawn->oom);
	return 0;
}

void flatfork_spawn_cgroup_fd(struct flatfork_spawn *spawn, int fd)
{
	free(spawn->cgroup_path);
	spawn->cgroup_path = NULL;
	spawn->cgroup = fd;
	spawn->cgroup_is_set = true;
}

int flatfork_spawn_cgroup_path(struct flatfork_spawn *spawn, const char *path)
{
	char *copy = NULL;

	if (path) {
		/* "/cgroup.procs" may have to follow it */
		if (strlen(path) > PATH_MAX - 16)
			return ENAMETOOLONG;
		copy = strdup(path);
		if (!copy)
			return ENOMEM;
	}
	flatfork_spawn_cgroup_fd(spawn, -1);
	spawn->cgroup_is_set = false;
	spawn->cgroup_path = copy;
	return 0;
}

void flatfork_spawn_session(struct flatfork_spawn *spawn, int tty)
{
	SET(spawn, SETSID, .kind = FF_STEP_SETSID);
	SET(spawn, CTTY, .kind = FF_STEP_CTTY, .fd = tty);
	spawn->has[FF_HAS_CTTY] = tty >= 0;
}

void flatfork_spawn_process_group(struct flatfork_spawn *spawn, pid_t group)
{
	SET(spawn, SETPGID, .kind = FF_STEP_SETPGID, .number = group);
}

void flatfork_spawn_umask(struct flatfork_spawn *spawn, mode_t mask)
{
	SET(spawn, UMASK, .kind = FF_STEP_UMASK, .number = (int)mask);
}

int flatfork_spawn_limit(struct flatfork_spawn *spawn, int resource,
			 const struct rlimit *limit)
{
	if (!limit || resource < 0 || resource >= RLIM_NLIMITS)
		return EINVAL;
	spawn->limit[resource] = *limit;
	put(spawn, FF_HAS_LIMIT + resource,
	    (struct ff_step){ .kind = FF_STEP_RLIMIT,
			      .fd = resource,
			      .data = &spawn->limit[resource] });
	return 0;
}

void flatfork_spawn_reset_ids(struct flatfork_spawn *spawn)
{
	SET(spawn, RESETIDS, .kind = FF_STEP_RESETIDS);
}

void flatfork_spawn_uid(struct flatfork_spawn *spawn, uid_t uid)
{
	SET(spawn, UID, .kind = FF_STEP_UID, .number = (int)uid);
}

void flatfork_spawn_gid(struct flatfork_spawn *spawn, gid_t gid)
{
	SET(spawn, GID, .kind = FF_STEP_GID, .number = (int)gid);
}

int flatfork_spawn_groups(struct flatfork_spawn *spawn, size_t count,
			  const gid_t *groups)
{
	gid_t *copy = NULL;

	if (count > NGROUPS_MAX || (count && !groups))
		return EINVAL;
	if (count) {
		copy = malloc(count * sizeof(*copy));
		if (!copy)
			return ENOMEM;
		memcpy(copy, groups, count * sizeof(*copy));
	}
	free(spawn->groups);
	spawn->groups = copy;
	SET(spawn, GROUPS, .kind = FF_STEP_GROUPS, .number = (int)count,
	    .data = copy);
	return 0;
}

void flatfork_spawn_no_new_privs(struct flatfork_spawn *spawn)
{
	SET(spawn, NNP, .kind = FF_STEP_NNP);
}

void flatfork_spawn_death_signal(struct flatfork_spawn *spawn, int signal)
{
	SET(spawn, PDEATHSIG, .kind = FF_STEP_PDEATHSIG, .number = signal);
}

int flatfork_spawn_namespaces(struct flatfork_spawn *spawn, int flags)
{
	if (flags & ~NAMESPACES)
		return EINVAL;
	spawn->birth = (spawn->birth & ~(uint64_t)NAMESPACES) | (unsigned)flags;
	return 0;
}

static void map_line(char text[FF_NUMBER_TEXT], unsigned inside,
		     unsigned outside)
{
	struct ff_line line = ff_line_start(text, FF_NUMBER_TEXT);

	ff_line_unsigned(&line, inside, 10);
	ff_line_char(&line, ' ');
	ff_line_unsigned(&line, outside, 10);
	ff_line_str(&line, " 1");
	text[line.used] = '\0';
}

int flatfork_spawn_map_ids(struct flatfork_spawn *spawn, uid_t uid, gid_t gid)
{
	map_line(spawn->uid_map, uid, geteuid());
	map_line(spawn->gid_map, gid, getegid());
	SET(spawn, SETGROUPS_FILE, .kind = FF_STEP_WRITE,
	    .text = "/proc/self/setgroups", .written = "deny");
	SET(spawn, UID_MAP, .kind = FF_STEP_WRITE, .text = "/proc/self/uid_map",
	    .written = spawn->uid_map);
	SET(spawn, GID_MAP, .kind = FF_STEP_WRITE, .text = "/proc/self/gid_map",
	    .written = spawn->gid_map);
	return 0;
}

int flatfork_spawn_flags(struct flatfork_spawn *spawn, int flags)
{
	if (flags & ~(FLATFORK_AUTOREAP | FLATFORK_AUTOKILL |
		      FLATFORK_BORN_NNP) ||
	    (flags & FLATFORK_AUTOKILL && !(flags & FLATFORK_AUTOREAP)))
		return EINVAL;
	spawn->birth &= ~NEW_FLAGS;
	if (flags & FLATFORK_AUTOREAP)
		spawn->birth |= FF_CLONE_AUTOREAP;
	if (flags & FLATFORK_AUTOKILL)
		spawn->birth |= CLONE_AUTOKILL_;
	if (flags & FLATFORK_BORN_NNP)
		spawn->birth |= CLONE_NNP_;
	return 0;
}
