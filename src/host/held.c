#include "host/held.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "host/sys.h"

bool (*ff_table_may_be_shared)(void);

static bool is_it(const struct ff_held *held, const struct stat *st)
{
	return st->st_dev == held->device && st->st_ino == held->inode;
}

/* The name is looked up again while the file is open: its number may have been
 * somebody's else from the first moment on. */
int ff_hold(struct ff_held *held, const char *path)
{
	long fd = sys(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0), rc;
	struct stat st;

	held->fd = -1;
	if (fd < 0)
		return (int)fd;
	held->shared = !ff_table_may_be_shared || ff_table_may_be_shared();
	rc = held->shared ? sys(newfstatat, AT_FDCWD, path, &st, 0) : 0;
	if (rc < 0) {
		sys(close, fd);
		return (int)rc;
	}
	held->fd = (int)fd;
	if (held->shared) {
		held->device = st.st_dev;
		held->inode = st.st_ino;
	}
	return 0;
}

/* Refused once, it is asked again, otherwise: what nobody looked at stays open. */
bool ff_is_held(const struct ff_held *held)
{
	struct stat st;
	long rc;

	if (held->fd < 0 || !held->shared)
		return held->fd >= 0;
	rc = sys(fstat, held->fd, &st);
	if (rc < 0 && rc != -EBADF)
		rc = sys(newfstatat, held->fd, "", &st, AT_EMPTY_PATH);
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
