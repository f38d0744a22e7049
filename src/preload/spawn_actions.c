/*
 * File actions. What libc has put into an object stays libc's; an object that
 * is empty becomes ours with the first action.
 */
#include <errno.h>

#include "host/next.h"
#include "preload/preload.h"
#include "preload/spawn.h"
#include "spawn/posix.h"

/* POSIX checks descriptors when actions are added. */
static int add_for(posix_spawn_file_actions_t *actions, int fd,
		   const struct ff_step *step)
{
	if (!ff_actions_valid_fd(fd))
		return EBADF;
	return ff_actions_append(actions, step);
}

FF_EXPORT int posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions)
{
	if (!ff_spawn_is_ours())
		return FF_NEXT(posix_spawn_file_actions_init)(actions);
	ff_actions_init(actions);
	return 0;
}

FF_EXPORT int
posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
{
	if (ff_spawn_owns(actions) &&
	    ff_actions_owner(actions) == FF_OWNER_US) {
		ff_actions_destroy(actions);
		return 0;
	}
	return FF_NEXT(posix_spawn_file_actions_destroy)(actions);
}

FF_EXPORT int
posix_spawn_file_actions_addopen(posix_spawn_file_actions_t *actions, int fd,
				 const char *path, int flags, mode_t mode)
{
	struct ff_step step = { .kind = FF_STEP_OPEN,
				.fd = fd,
				.number = flags,
				.text = path,
				.mode = mode };

	if (!ff_spawn_owns(actions))
		return FF_NEXT(posix_spawn_file_actions_addopen)(
			actions, fd, path, flags, mode);
	return add_for(actions, fd, &step);
}

FF_EXPORT int
posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *actions, int fd)
{
	struct ff_step step = { .kind = FF_STEP_CLOSE, .fd = fd };

	if (!ff_spawn_owns(actions))
		return FF_NEXT(posix_spawn_file_actions_addclose)(actions, fd);
	return add_for(actions, fd, &step);
}

FF_EXPORT int
posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int from,
				 int to)
{
	struct ff_step step = { .kind = FF_STEP_DUP2,
				.fd = from,
				.number = to };

	if (!ff_spawn_owns(actions))
		return FF_NEXT(posix_spawn_file_actions_adddup2)(actions, from,
								 to);
	return ff_actions_valid_fd(from) ? add_for(actions, to, &step) : EBADF;
}

static int add_chdir(posix_spawn_file_actions_t *actions, const char *path)
{
	struct ff_step step = { .kind = FF_STEP_CHDIR, .text = path };

	return ff_actions_append(actions, &step);
}

FF_EXPORT int
posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions,
				     const char *path)
{
	if (!ff_spawn_owns(actions))
		return FF_NEXT(posix_spawn_file_actions_addchdir_np)(actions,
								     path);
	return add_chdir(actions, path);
}

/* A libc without POSIX.1-2024's names has the same under the old ones. */
FF_EXPORT int
posix_spawn_file_actions_addchdir(posix_spawn_file_actions_t *actions,
				  const char *path)
{
	if (ff_spawn_owns(actions))
		return add_chdir(actions, path);
	if (FF_NEXT(posix_spawn_file_actions_addchdir))
		return FF_NEXT(posix_spawn_file_actions_addchdir)(actions,
								  path);
	return FF_NEXT(posix_spawn_file_actions_addchdir_np)(actions, path);
}

/* libc lets any number pass here, POSIX no negative one. */
static int add_fchdir(posix_spawn_file_actions_t *actions, int fd)
{
	struct ff_step step = { .kind = FF_STEP_FCHDIR, .fd = fd };

	return ff_actions_append(actions, &step);
}

FF_EXPORT int
posix_spawn_file_actions_addfchdir_np(posix_spawn_file_actions_t *actions,
				      int fd)
{
	if (!ff_spawn_owns(actions))
		return FF_NEXT(posix_spawn_file_actions_addfchdir_np)(actions,
								      fd);
	return add_fchdir(actions, fd);
}

FF_EXPORT int
posix_spawn_file_actions_addfchdir(posix_spawn_file_actions_t *actions, int fd)
{
	if (ff_spawn_owns(actions))
		return fd < 0 ? EBADF : add_fchdir(actions, fd);
	if (FF_NEXT(posix_spawn_file_actions_addfchdir))
		return FF_NEXT(posix_spawn_file_actions_addfchdir)(actions, fd);
	return FF_NEXT(posix_spawn_file_actions_addfchdir_np)(actions, fd);
}

FF_EXPORT int
posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions,
					 int from)
{
	struct ff_step step = { .kind = FF_STEP_CLOSEFROM, .fd = from };

	if (ff_spawn_owns(actions))
		return add_for(actions, from, &step);
	return FF_NEXT(posix_spawn_file_actions_addclosefrom_np) ?
		       FF_NEXT(posix_spawn_file_actions_addclosefrom_np)(
			       actions, from) :
		       EINVAL;
}

FF_EXPORT int
posix_spawn_file_actions_addtcsetpgrp_np(posix_spawn_file_actions_t *actions,
					 int fd)
{
	struct ff_step step = { .kind = FF_STEP_TCSETPGRP, .fd = fd };

	if (ff_spawn_owns(actions))
		return add_for(actions, fd, &step);
	return FF_NEXT(posix_spawn_file_actions_addtcsetpgrp_np) ?
		       FF_NEXT(posix_spawn_file_actions_addtcsetpgrp_np)(
			       actions, fd) :
		       EINVAL;
}
