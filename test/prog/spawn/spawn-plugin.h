/* The names of <spawn.h>, as somebody finds them. */
#ifndef T_SPAWN_PLUGIN_H
#define T_SPAWN_PLUGIN_H

#include <spawn.h>

#define SPAWN_NAMES(X)                              \
	X(posix_spawn)                              \
	X(posix_spawnp)                             \
	X(posix_spawn_file_actions_init)            \
	X(posix_spawn_file_actions_destroy)         \
	X(posix_spawn_file_actions_addopen)         \
	X(posix_spawn_file_actions_addclose)        \
	X(posix_spawn_file_actions_adddup2)         \
	X(posix_spawn_file_actions_addchdir_np)     \
	X(posix_spawn_file_actions_addfchdir_np)    \
	X(posix_spawn_file_actions_addclosefrom_np) \
	X(posix_spawnattr_init)                     \
	X(posix_spawnattr_destroy)                  \
	X(posix_spawnattr_setflags)                 \
	X(posix_spawnattr_setsigmask)

#define X(name) __typeof__(&(name)) name;
struct spawn_names {
	SPAWN_NAMES(X)
};
#undef X

#endif
