/*
 * The two implementations that are compared. Both are asked through pointers,
 * so that one run can use both: "ours" is what the program would call, "libc"
 * is libc's own. Without a preload these are the same, and equal they must be.
 */
#ifndef FUZZ_IMPL_H
#define FUZZ_IMPL_H

#include <spawn.h>
#include <stdbool.h>

/* What older headers lack. */
int pidfd_spawn(int *ret_fd, const char *path,
		const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attr, char *const argv[],
		char *const envp[]);
int pidfd_spawnp(int *ret_fd, const char *file,
		 const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attr, char *const argv[],
		 char *const envp[]);
int posix_spawn_file_actions_addchdir(posix_spawn_file_actions_t *actions,
				      const char *path);
int posix_spawn_file_actions_addfchdir(posix_spawn_file_actions_t *actions,
				       int fd);

#define IMPL_FUNCTIONS(X)                           \
	X(posix_spawn)                              \
	X(posix_spawnp)                             \
	X(pidfd_spawn)                              \
	X(pidfd_spawnp)                             \
	X(posix_spawnattr_init)                     \
	X(posix_spawnattr_destroy)                  \
	X(posix_spawnattr_getflags)                 \
	X(posix_spawnattr_setflags)                 \
	X(posix_spawnattr_getpgroup)                \
	X(posix_spawnattr_setpgroup)                \
	X(posix_spawnattr_getsigmask)               \
	X(posix_spawnattr_setsigmask)               \
	X(posix_spawnattr_getsigdefault)            \
	X(posix_spawnattr_setsigdefault)            \
	X(posix_spawnattr_getschedpolicy)           \
	X(posix_spawnattr_setschedpolicy)           \
	X(posix_spawnattr_getschedparam)            \
	X(posix_spawnattr_setschedparam)            \
	X(posix_spawn_file_actions_init)            \
	X(posix_spawn_file_actions_destroy)         \
	X(posix_spawn_file_actions_addopen)         \
	X(posix_spawn_file_actions_addclose)        \
	X(posix_spawn_file_actions_adddup2)         \
	X(posix_spawn_file_actions_addchdir_np)     \
	X(posix_spawn_file_actions_addchdir)        \
	X(posix_spawn_file_actions_addfchdir_np)    \
	X(posix_spawn_file_actions_addfchdir)       \
	X(posix_spawn_file_actions_addclosefrom_np) \
	X(posix_spawn_file_actions_addtcsetpgrp_np)

struct impl {
	const char *name;
#define X(f) __typeof__(&(f)) f;
	IMPL_FUNCTIONS(X)
#undef X
};

/* Ours and libc's. The two names of POSIX.1-2024 are those with _np where an
 * implementation does not have them; others it lacks are NULL. */
extern struct impl impl_ours, impl_libc;
/* Two implementations, or libc's twice? */
extern bool impl_differ;
void impl_find(void);

#endif
