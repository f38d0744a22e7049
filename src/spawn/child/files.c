/*
 * The steps of a child that have to do with descriptors and files. Runs in
 * borrowed memory; the rules of child.c.
 *
 * Hazards:
 * H-S7 Where memory is not shared (emulators), errors go through a pipe, and
 *      a pidfd may tell of the parent's death. They do not exist for the
 *      program: they are moved out of the way of steps that want their number,
 *      left out of those that name it, and closed by exec.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/resource.h>

#include "host/sys.h"
#include "spawn/child/child.h"

/* Which of what does not exist for the program is @fd? FF_HIDDEN_COUNT: none. */
static int child_which_hidden(const struct ff_plan *plan, int fd)
{
	int i = 0;

	while (i < FF_HIDDEN_COUNT && (fd < 0 || plan->hidden[i] != fd))
		i++;
	return i;
}

static bool child_hides(const struct ff_plan *plan, int fd)
{
	return child_which_hidden(plan, fd) < FF_HIDDEN_COUNT;
}

/* The program wants that number. */
static long child_make_way(struct ff_plan *plan, int fd)
{
	int which = child_which_hidden(plan, fd);
	long other;

	if (which == FF_HIDDEN_COUNT)
		return 0;
	other = sys(fcntl, fd, F_DUPFD_CLOEXEC, 0);
	if (other < 0)
		return other;
	plan->hidden[which] = (int)other;
	sys(close, fd);
	return 0;
}

/* Only a descriptor that can't exist makes an error. */
static long child_close(const struct ff_plan *plan, int fd)
{
	struct rlimit limit;
	long known, rc = child_hides(plan, fd) ? -EBADF : sys(close, fd);

	if (rc == 0)
		return 0;
	known = sys(prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
	if (known < 0)
		return known;
	return fd < 0 || (rlim_t)fd >= limit.rlim_cur ? rc : 0;
}

static long child_dup2(struct ff_plan *plan, int from, int to)
{
	long flags, rc;

	if (child_hides(plan, from))
		return -EBADF;
	if (from != to) {
		rc = child_make_way(plan, to);
		return rc < 0 ? rc : sys(dup2, from, to);
	}
	/* It is passed on, POSIX.1-2024 says. */
	flags = sys(fcntl, to, F_GETFD, 0);
	if (flags < 0)
		return flags;
	return sys(fcntl, to, F_SETFD, flags & ~FD_CLOEXEC);
}

/* The number is free for the new file, also in a table that is full. */
static long child_open(struct ff_plan *plan, const struct ff_step *step)
{
	long fd, rc = child_make_way(plan, step->fd);

	if (rc < 0)
		return rc;
	sys(close, step->fd);
	fd = sys(openat, AT_FDCWD, step->text, step->number, step->mode);
	if (fd < 0 || fd == step->fd)
		return fd;
	rc = sys(dup2, fd, step->fd);
	if (rc < 0)
		return rc;
	return sys(close, fd);
}

struct child_dirent {
	uint64_t inode, offset;
	unsigned short bytes;
	unsigned char type;
	char name[];
};

/* One read of the directory: closes what it lists; -errno, 0 at its end. */
static long child_close_listed(const struct ff_plan *plan, int dir, int from)
{
	_Alignas(struct child_dirent) char text[1024];
	long got = sys(getdents64, dir, text, sizeof(text)), at;
	const struct child_dirent *entry;
	const char *s;
	int fd;

	for (at = 0; at < got; at += entry->bytes) {
		entry = (const struct child_dirent *)(text + at);
		for (fd = 0, s = entry->name; *s >= '0' && *s <= '9'; s++)
			fd = fd * 10 + (*s - '0');
		if (s == entry->name || fd < from || fd == dir ||
		    child_hides(plan, fd))
			continue;
		sys(close, fd);
	}
	return got;
}

/* Before Linux 5.9: what /proc lists, until nothing is listed any more. */
static long child_close_by_list(const struct ff_plan *plan, int from)
{
	long dir = sys(openat, AT_FDCWD, "/proc/self/fd",
		       O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long got;

	if (dir < 0)
		return dir;
	do
		got = child_close_listed(plan, (int)dir, from);
	while (got > 0);
	sys(close, dir);
	return got;
}

/* The lowest from @from to @to. */
static bool child_first_hidden(const struct ff_plan *plan, unsigned from,
			       unsigned to, unsigned *ret_fd)
{
	bool found = false;
	unsigned fd;
	int i;

	for (i = 0; i < FF_HIDDEN_COUNT; i++) {
		fd = (unsigned)plan->hidden[i];
		if (plan->hidden[i] < 0 || fd < from || fd > to ||
		    (found && fd > *ret_fd))
			continue;
		*ret_fd = fd;
		found = true;
	}
	return found;
}

static long child_close_range(const struct ff_plan *plan, unsigned from,
			      unsigned to)
{
	unsigned hidden;
	long rc;

	while (child_first_hidden(plan, from, to, &hidden)) {
		rc = hidden > from ? sys(close_range, from, hidden - 1, 0) : 0;
		if (rc < 0 || hidden == to)
			return rc;
		from = hidden + 1;
	}
	return sys(close_range, from, to, 0);
}

static long child_close_from(const struct ff_plan *plan, int from)
{
	long rc = child_close_range(plan, (unsigned)from, ~0U);

	return rc < 0 ? child_close_by_list(plan, from) : 0;
}

static long child_save(struct ff_plan *plan, int fd)
{
	long rc = child_hides(plan, fd) ? -EBADF :
					  sys(fcntl, fd, F_DUPFD_CLOEXEC, 0);

	plan->saved = (int)rc;
	return rc;
}

static long child_restore(struct ff_plan *plan, int to)
{
	long rc = child_make_way(plan, to);

	if (rc < 0)
		return rc;
	rc = sys(dup2, plan->saved, to);
	return rc < 0 ? rc : sys(close, plan->saved);
}

static long child_write(const char *path, const char *text)
{
	long fd = sys(openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0), rc;
	size_t n = 0;

	if (fd < 0)
		return fd;
	while (text[n])
		n++;
	rc = sys(write, fd, text, n);
	sys(close, fd);
	return rc < 0 ? rc : 0;
}

/* What to do with a descriptor that has to be there. */
static long child_use(const struct ff_plan *plan, const struct ff_step *step)
{
	long rc;
	int group;

	if (child_hides(plan, step->fd))
		return -EBADF;
	switch (step->kind) {
	case FF_STEP_FCHDIR:
		return sys(fchdir, step->fd);
	case FF_STEP_CTTY:
		return sys(ioctl, step->fd, TIOCSCTTY, 0);
	default:
		rc = sys(getpgid, 0);
		group = (int)rc;
		return rc < 0 ? rc : sys(ioctl, step->fd, TIOCSPGRP, &group);
	}
}

long ff_child_file_step(struct ff_plan *plan, const struct ff_step *step)
{
	switch (step->kind) {
	case FF_STEP_CLOSE:
		return child_close(plan, step->fd);
	case FF_STEP_DUP2:
		return child_dup2(plan, step->fd, step->number);
	case FF_STEP_OPEN:
		return child_open(plan, step);
	case FF_STEP_CHDIR:
		return sys(chdir, step->text);
	case FF_STEP_CLOSEFROM:
		return child_close_from(plan, step->fd);
	case FF_STEP_CLOSERANGE:
		return child_close_range(plan, (unsigned)step->fd,
					 (unsigned)step->number);
	case FF_STEP_SAVE:
		return child_save(plan, step->fd);
	case FF_STEP_RESTORE:
		return child_restore(plan, step->fd);
	case FF_STEP_WRITE:
		return child_write(step->text, step->written);
	case FF_STEP_FCHDIR:
	case FF_STEP_TCSETPGRP:
	case FF_STEP_CTTY:
		return child_use(plan, step);
	default:
		return -EINVAL;
	}
}
