#include "host/held.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "host/newborn.h"
#include "host/sys.h"

bool (*ff_table_may_be_shared)(void);

static bool is_shared(void)
{
	return !ff_table_may_be_shared || ff_table_may_be_shared();
}

static atomic_bool closed_by_others;

static void forget_others(void)
{
	atomic_store(&closed_by_others, false);
}
FF_IN_NEW_PROCESS(forget_others);

bool ff_others_close_ours(void)
{
	return atomic_load(&closed_by_others) && is_shared();
}

static bool is_it(const struct ff_held *held, const struct stat *st)
{
	return st->st_dev == held->device && st->st_ino == held->inode;
}

/* Refused once, it is asked again, otherwise: what nobody looked at stays open. */
static long look_at(int fd, struct stat *ret)
{
	long rc = sys(fstat, fd, ret);

	if (rc < 0 && rc != -EBADF)
		rc = sys(newfstatat, fd, "", ret, AT_EMPTY_PATH);
	return rc;
}

static int open_it(struct ff_held *held, const char *path, int flags, int mode)
{
	long fd = sys(openat, AT_FDCWD, path, flags | O_CLOEXEC, mode);

	held->fd = (int)fd;
	held->shared = is_shared();
	return fd < 0 ? (int)fd : 0;
}

/* That it is @st is known, if @rc is not an error. */
static int know(struct ff_held *held, long rc, const struct stat *st)
{
	if (rc < 0) {
		held->fd = -1;
		return (int)rc;
	}
	held->device = st->st_dev;
	held->inode = st->st_ino;
	return 0;
}

/* The name is looked up again while the file is open: its number may have been
 * somebody's else from the first moment on. */
int ff_hold(struct ff_held *held, const char *path)
{
	struct stat st;
	int rc = open_it(held, path, O_RDONLY, 0);

	if (rc < 0 || !held->shared)
		return rc;
	rc = (int)sys(newfstatat, AT_FDCWD, path, &st, 0);
	if (rc < 0)
		sys(close, held->fd);
	return know(held, rc, &st);
}

int ff_hold_any(struct ff_held *held, const char *path, int flags, int mode)
{
	struct stat st;
	int rc = open_it(held, path, flags, mode);

	if (rc < 0 || !held->shared)
		return rc;
	rc = (int)look_at(held->fd, &st);
	if (rc == -EBADF)
		atomic_store(&closed_by_others, true);
	else if (rc < 0)
		sys(close, held->fd);
	return know(held, rc, &st);
}

bool ff_is_held(const struct ff_held *held)
{
	struct stat st;
	long rc;

	if (held->fd < 0 || !held->shared)
		return held->fd >= 0;
	rc = look_at(held->fd, &st);
	if (rc == -EBADF || (rc == 0 && !is_it(held, &st)))
		atomic_store(&closed_by_others, true);
	return rc == 0 && is_it(held, &st);
}

int ff_release(struct ff_held *held)
{
	const bool is = ff_is_held(held);

	if (is)
		sys(close, held->fd);
	held->fd = -1;
	return is ? 0 : -EBADF;
}
