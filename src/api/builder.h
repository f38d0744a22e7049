/* What a description is made of. */
#ifndef FF_API_BUILDER_H
#define FF_API_BUILDER_H

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "flatfork/flatfork.h"
#include "spawn/actions.h"
#include "spawn/parent/spawn.h"

#define FF_AFFINITY_MAX 1024 /* bytes */
#define FF_NUMBER_TEXT 32    /* bytes */

/* Linux 7.1's, which older headers lack. */
#define CLONE_NNP_ ((uint64_t)1 << 35)
#define CLONE_AUTOKILL_ ((uint64_t)1 << 36)

/* Attributes that are steps, each at most once, in the order of the walk. */
enum ff_has {
	FF_HAS_SIGDEF,
	FF_HAS_SIGIGN,
	FF_HAS_SCHEDULER,
	FF_HAS_NICE,
	FF_HAS_IOPRIO,
	FF_HAS_AFFINITY,
	FF_HAS_OOM,
	FF_HAS_SETGROUPS_FILE,
	FF_HAS_UID_MAP,
	FF_HAS_GID_MAP,
	FF_HAS_SETSID,
	FF_HAS_SETPGID,
	FF_HAS_UMASK,
	FF_HAS_RESETIDS,
	/* after the actions */
	FF_HAS_LIMIT, /* and those behind it, one for each resource */
	FF_HAS_CTTY = FF_HAS_LIMIT + RLIM_NLIMITS,
	FF_HAS_GROUPS,
	FF_HAS_GID,
	FF_HAS_UID,
	FF_HAS_NNP,
	FF_HAS_PDEATHSIG,
	FF_HAS_COUNT,
};

#define FF_HAS_FIRST_LAST FF_HAS_LIMIT

struct flatfork_spawn {
	struct ff_step step[FF_HAS_COUNT];
	bool has[FF_HAS_COUNT];
	struct ff_actions actions;
	bool search;
	bool pidfd;
	bool mask_is_set;
	ff_sigset mask;
	uint64_t birth; /* clone flags */
	bool cgroup_is_set;
	int cgroup; /* a descriptor */
	char *cgroup_path;

	/* What the steps point at. */
	struct rlimit limit[RLIM_NLIMITS];
	gid_t *groups;
	unsigned char affinity[FF_AFFINITY_MAX];
	char oom[FF_NUMBER_TEXT];
	char uid_map[FF_NUMBER_TEXT];
	char gid_map[FF_NUMBER_TEXT];
};

#endif
