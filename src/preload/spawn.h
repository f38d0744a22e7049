/* What the files that define the names of <spawn.h> share. */
#ifndef FF_PRELOAD_SPAWN_H
#define FF_PRELOAD_SPAWN_H

#include <spawn.h>
#include <stdbool.h>

/* Are spawns ours in this process? So they are until it is sandboxed. */
bool ff_spawn_is_ours(void);

/* Is this object ours, or would it be with its first action? */
bool ff_spawn_owns(const posix_spawn_file_actions_t *actions);

/* Names that headers may be too old for. */
int pidfd_spawn(int *pidfd, const char *path,
		const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attr, char *const argv[],
		char *const envp[]);
int pidfd_spawnp(int *pidfd, const char *file,
		 const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attr, char *const argv[],
		 char *const envp[]);
int posix_spawnattr_getcgroup_np(const posix_spawnattr_t *attr, int *cgroup);
int posix_spawnattr_setcgroup_np(posix_spawnattr_t *attr, int cgroup);
int posix_spawn_file_actions_addchdir(posix_spawn_file_actions_t *actions,
				      const char *path);
int posix_spawn_file_actions_addfchdir(posix_spawn_file_actions_t *actions,
				       int fd);
int posix_spawn_file_actions_addtcsetpgrp_np(
	posix_spawn_file_actions_t *actions, int fd);
int posix_spawn_file_actions_addclosefrom_np(
	posix_spawn_file_actions_t *actions, int from);

#endif
