/*
 * <spawn.h> on the plan: its two objects, decoded. Attributes have a public
 * layout; file actions are libc's secret, so those made here carry a mark.
 */
#ifndef FF_SPAWN_POSIX_H
#define FF_SPAWN_POSIX_H

#include <spawn.h>
#include <stdbool.h>

#include "spawn/actions.h"

/* glibc 2.39's; what older headers lack. */
#define FF_SPAWN_SETCGROUP 0x100

struct ff_posix_call {
	const char *file;
	const posix_spawn_file_actions_t *actions; /* ours, empty, or NULL */
	const posix_spawnattr_t *attr;		   /* or NULL */
	char *const *argv;
	char *const *envp;
	bool search;	/* file along PATH */
	bool get_pidfd; /* in place of a pid */
};

/*
 * posix_spawn and its like: 0 with *ret set (NULL: not told), or an errno.
 * @name and @caller are for the log.
 */
int ff_posix_spawn(int *ret, const struct ff_posix_call *call, const char *name,
		   const void *caller);

/* ff_spawn(), counted and logged. */
struct ff_birth;
int ff_spawn_logged(struct ff_plan *plan, const struct ff_birth *birth,
		    pid_t *ret_pid, const char *name, const void *caller);

/* Whose are these actions? */
enum ff_owner {
	FF_OWNER_NOBODY, /* empty: whoever adds to them */
	FF_OWNER_US,
	FF_OWNER_LIBC, /* made by libc before we were there: libc's business */
};

enum ff_owner ff_actions_owner(const posix_spawn_file_actions_t *actions);
void ff_actions_init(posix_spawn_file_actions_t *actions);

/* Append to actions that are ours or nobody's. 0 or ENOMEM. */
int ff_actions_append(posix_spawn_file_actions_t *actions,
		      const struct ff_step *step);
void ff_actions_destroy(posix_spawn_file_actions_t *actions);

/* Where the attribute object has its cgroup. */
int *ff_attr_cgroup(posix_spawnattr_t *attr);

#endif
