/* Whether libc's actions are what they are taken for. No allocation: spawns
 * come from signal handlers, too. */
#include "libc/actions.h"

#include "libc/libc.h"
#include "libc/weak.h"

FF_WEAK(posix_spawn_file_actions_addfchdir_np)

#include <spawn.h>
#include <stdatomic.h>

/*
 * It is asked to put two of them into memory of ours. fchdir takes any number
 * unlooked at, so that is all it does.
 */
static bool has_layout(void)
{
	struct ff_libc_action room[4] = { { .tag = 0 } };
	posix_spawn_file_actions_t actions = { .__allocated = 4 };
	const int fd[2] = { 0x1234567, 0x7654321 };

	actions.__actions = (void *)room;
	return posix_spawn_file_actions_addfchdir_np(&actions, fd[0]) == 0 &&
	       posix_spawn_file_actions_addfchdir_np(&actions, fd[1]) == 0 &&
	       actions.__used == 2 && actions.__allocated == 4 &&
	       (void *)actions.__actions == (void *)room &&
	       room[0].tag == FF_LIBC_FCHDIR && room[0].fd == fd[0] &&
	       room[1].tag == FF_LIBC_FCHDIR && room[1].fd == fd[1];
}

static bool is_like_new(const posix_spawn_file_actions_t *actions)
{
	const int *pad = actions->__pad;

	while ((const void *)pad < (const void *)(actions + 1))
		if (*pad++)
			return false;
	return actions->__used >= 0 &&
	       actions->__used <= actions->__allocated;
}

const struct ff_libc_action *
ff_libc_actions(const posix_spawn_file_actions_t *actions, unsigned *ret_count)
{
	*ret_count = (unsigned)actions->__used;
	return (const void *)actions->__actions;
}

bool ff_libc_actions_are_known(const posix_spawn_file_actions_t *actions)
{
	static _Atomic int known; /* 0, or 1 + the answer */
	const struct ff_libc_action *action;
	unsigned i, count;

	if (!is_like_new(actions))
		return false;
	action = ff_libc_actions(actions, &count);
	if (!count)
		return true;
	if (!atomic_load(&known))
		atomic_store(&known, 1 + (ff_libc_is_known() && has_layout()));
	if (atomic_load(&known) != 2 || !action)
		return false;
	for (i = 0; i < count; i++)
		if (action[i].tag >= FF_LIBC_TAGS)
			return false;
	return true;
}
