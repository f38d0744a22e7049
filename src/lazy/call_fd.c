/*
 * Calls on descriptors. A child on trial may make and drop descriptors of
 * its own, and read what it opened itself; what it shares with others (an
 * offset, file status flags, the content of a pipe or file) it may not move.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/uio.h>

#include "arch/arch.h"
#include "host/sys.h"
#include "lazy/calls.h"
#include "lazy/child.h"
#include "lazy/pager.h"

#define SURE_TO_FIT 4096 /* PIPE_BUF: what a writable pipe takes at once */

bool ff_is_our_fd(long fd)
{
	return (int)fd == ff_child.mem ||
	       (ff_child.pagemap >= 0 && (int)fd == ff_child.pagemap);
}

bool ff_is_own_fd(long fd)
{
	return fd >= 0 && fd < FF_OWN_FDS &&
	       ((ff_child.own_fd[fd / 64] >> (fd % 64)) & 1);
}

static void set_own(long fd, bool own)
{
	if (fd < 0 || fd >= FF_OWN_FDS)
		return;
	if (own)
		ff_child.own_fd[fd / 64] |= (uint64_t)1 << (fd % 64);
	else
		ff_child.own_fd[fd / 64] &= ~((uint64_t)1 << (fd % 64));
}

/* A call made a descriptor. Without ours it might have got a lower number,
 * or got one at all: then the child can't go on here (H-M3). */
static void answer_fd(ucontext_t *uc, long nr, long fd)
{
	if (fd == -EMFILE || (fd > ff_child.mem || (ff_child.pagemap >= 0 &&
						    fd > ff_child.pagemap))) {
		if (fd >= 0)
			sys(close, fd);
		ff_child_leave(uc, FF_REASON_DESCRIPTOR, nr);
	} else if (fd == -EFAULT) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
	} else {
		ff_answer(uc, fd);
	}
}

void ff_look_read(ucontext_t *uc, long nr)
{
	const char *signature = ff_rule(nr)->signature;
	struct stat st;
	long fd = ff_arg(uc, 0);

	if (ff_is_own_fd(fd)) {
		ff_pass(uc, nr, signature);
		return;
	}
	/* A regular file answers at once; the offset is shared. */
	if (!ff_is_our_fd(fd) && ff_child.committed &&
	    sys(fstat, fd, &st) == 0 && S_ISREG(st.st_mode))
		ff_pass(uc, nr, signature);
	else
		ff_child_leave(uc, FF_REASON_CALL, nr);
}

void ff_look_poll(ucontext_t *uc, long nr)
{
	/* Asking is free; waiting is not. */
	if (ff_arg(uc, 2) == 0 && ff_arg(uc, 1) <= 256)
		ff_pass(uc, nr, "p--");
	else
		ff_child_leave(uc, FF_REASON_CALL, nr);
}

void ff_look_pselect6(ucontext_t *uc, long nr)
{
	const struct timespec *t;

	if (!ff_serve(uc, nr, "-ppppp"))
		return;
	t = (const struct timespec *)ff_arg(uc, 4);
	if (t && !ff_arg(uc, 5) && ff_is_readable((uintptr_t)t) &&
	    t->tv_sec == 0 && t->tv_nsec == 0)
		ff_pass(uc, nr, "");
	else
		ff_child_leave(uc, FF_REASON_CALL, nr);
}

struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

static bool names_our_fd(const struct entry *e)
{
	const char *s = e->name;
	long fd = 0;

	for (; *s >= '0' && *s <= '9'; s++)
		fd = fd * 10 + (*s - '0');
	return !*s && s != e->name && ff_is_our_fd(fd);
}

/* Take our descriptors out of what /proc/self/fd lists. */
static long hide_our_fds(char *buffer, long used)
{
	struct entry *e;
	long at = 0;

	while (at < used) {
		e = (struct entry *)(buffer + at);
		if (!names_our_fd(e)) {
			at += e->bytes;
			continue;
		}
		used -= e->bytes;
		memmove(e, (char *)e + e->bytes, (size_t)(used - at));
	}
	return used;
}

void ff_look_getdents64(ucontext_t *uc, long nr)
{
	struct statfs fs = { 0 };
	long fd = ff_arg(uc, 0), got, used;

	if (!ff_is_own_fd(fd)) {
		ff_look_read(uc, nr);
		return;
	}
	if (!ff_serve(uc, nr, "fb-"))
		return;
	sys(fstatfs, fd, &fs);
	do {
		got = used = ff_make(uc, nr);
		if (got > 0 && fs.f_type == PROC_SUPER_MAGIC)
			used = hide_our_fds((char *)ff_arg(uc, 1), got);
	} while (got > 0 && used == 0);
	ff_answer(uc, used);
}

static size_t write_bytes(const ucontext_t *uc, long nr)
{
	const struct iovec *v = (const struct iovec *)ff_arg(uc, 1);
	size_t i, n = (size_t)ff_arg(uc, 2), bytes = 0;

	if (nr == SYS_write || nr == SYS_pwrite64)
		return n;
	for (i = 0; i < n; i++)
		bytes += v[i].iov_len;
	return bytes;
}

/* null, zero, full, random, urandom: nobody sees, nothing blocks. */
static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && major(st->st_rdev) == 1;
}

/* A committed child writes where that can't block; else it lets go first. */
void ff_look_write(ucontext_t *uc, long nr)
{
	const char *signature = ff_rule(nr)->signature;
	struct pollfd p = { .fd = (int)ff_arg(uc, 0), .events = POLLOUT };
	struct stat st;

	if (!ff_child.committed) {
		ff_child_leave(uc, FF_REASON_OUTPUT, nr);
		return;
	}
	if (!ff_serve(uc, nr, signature))
		return;
	if (sys(fstat, p.fd, &st) == 0 &&
	    (S_ISREG(st.st_mode) || is_null(&st) ||
	     (!S_ISCHR(st.st_mode) && write_bytes(uc, nr) <= SURE_TO_FIT &&
	      sys(poll, &p, 1, 0) == 1 && p.revents == POLLOUT)))
		ff_pass(uc, nr, signature);
	else
		ff_child_leave(uc, FF_REASON_CALL, nr);
}

/* What the kernel says of /proc/self would tell of us. */
static bool tells_of_us(const char *path)
{
	static const char proc[] = "/proc/";
	size_t i;
	int c;

	for (i = 0; proc[i]; i++)
		if (ff_peek(path + i) != proc[i])
			return false;
	/* /proc/self/fd and the like are fine: only a name is opened. */
	for (; (c = ff_peek(path + i)) > 0; i++)
		if (c == '/' && ff_peek(path + i + 1) == 'f' &&
		    ff_peek(path + i + 2) == 'd' &&
		    ff_peek(path + i + 3) <= 0)
			return false;
	return true;
}

enum verdict { GO_ON, GO_ON_OWN, SEEN, NEVER };

static enum verdict judge_open(long dir, const char *path, long flags)
{
	bool creates = (flags & O_CREAT) != 0;
	struct stat st;
	long rc;

	if (flags & O_PATH)
		return GO_ON;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return SEEN;
	if (tells_of_us(path))
		return NEVER;
	rc = sys(newfstatat, dir, path, &st,
		 flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0);
	if (rc < 0)
		return creates ? SEEN : GO_ON;
	if (S_ISREG(st.st_mode))
		return flags & O_TRUNC ? SEEN : GO_ON_OWN;
	if (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode))
		return GO_ON_OWN;
	if (is_null(&st))
		return GO_ON_OWN;
	if (S_ISCHR(st.st_mode) && (flags & O_NONBLOCK))
		return SEEN;
	return NEVER;
}

static void open_it(ucontext_t *uc, long nr, long dir, int path_arg,
		    long flags)
{
	const char *path = (const char *)ff_arg(uc, path_arg);
	enum verdict v;
	long fd;

	if (!ff_serve(uc, nr, ff_rule(nr)->signature))
		return;
	v = judge_open(dir, path, flags);
	if (v == NEVER || (v == SEEN && !ff_child.committed)) {
		ff_child_leave(uc, v == SEEN ? FF_REASON_OUTPUT :
					       FF_REASON_CALL,
			       nr);
		return;
	}
	fd = ff_make(uc, nr);
	set_own(fd, v == GO_ON_OWN);
	answer_fd(uc, nr, fd);
}

void ff_look_open(ucontext_t *uc, long nr)
{
	open_it(uc, nr, AT_FDCWD, 0, ff_arg(uc, 1));
}

void ff_look_openat(ucontext_t *uc, long nr)
{
	open_it(uc, nr, (int)ff_arg(uc, 0), 1, ff_arg(uc, 2));
}

void ff_look_creat(ucontext_t *uc, long nr)
{
	open_it(uc, nr, AT_FDCWD, 0, O_CREAT | O_TRUNC | O_WRONLY);
}

static long close_it(long fd)
{
	if (ff_is_our_fd(fd))
		return -EBADF;
	set_own(fd, false);
	return sys(close, fd);
}

void ff_look_close(ucontext_t *uc, long nr)
{
	(void)nr;
	ff_answer(uc, close_it(ff_arg(uc, 0)));
}

int ff_child_close(int fd)
{
	long rc = close_it(fd);

	if (rc >= 0)
		return (int)rc;
	errno = (int)-rc;
	return -1;
}

/* [first, last] without ours. */
static long close_range_around(unsigned first, unsigned last, long flags)
{
	int ours[2] = { ff_child.mem, ff_child.pagemap };
	unsigned i, fd, low = first;
	long rc = 0;

	if (ours[1] >= 0 && ours[1] < ours[0]) {
		ours[0] = ff_child.pagemap;
		ours[1] = ff_child.mem;
	}
	for (i = 0; i < 2 && rc == 0; i++) {
		if (ours[i] < 0)
			continue;
		fd = (unsigned)ours[i];
		if (fd < low || fd > last)
			continue;
		if (fd > low)
			rc = sys(close_range, low, fd - 1, flags);
		low = fd + 1;
	}
	return rc == 0 && low <= last ? sys(close_range, low, last, flags) :
					rc;
}

void ff_look_close_range(ucontext_t *uc, long nr)
{
	unsigned first = (unsigned)ff_arg(uc, 0), last = (unsigned)ff_arg(uc, 1);
	unsigned fd;

	if (first > last) {
		ff_answer(uc, ff_make(uc, nr));
		return;
	}
	for (fd = first; fd <= last && fd < FF_OWN_FDS; fd++)
		set_own(fd, false);
	ff_answer(uc, close_range_around(first, last, ff_arg(uc, 2)));
}

/* socket, eventfd2, memfd_create, ... and dup: a new descriptor. */
void ff_look_dup(ucontext_t *uc, long nr)
{
	long fd;

	if (!ff_serve(uc, nr, ff_rule(nr)->signature))
		return;
	fd = ff_make(uc, nr);
	set_own(fd, nr == SYS_dup && ff_is_own_fd(ff_arg(uc, 0)));
	answer_fd(uc, nr, fd);
}

static void move_ours(int *ours, long wanted)
{
	long fd;

	if (*ours < 0 || *ours != (int)wanted)
		return;
	fd = sys(fcntl, *ours, F_DUPFD_CLOEXEC, *ours + 1);
	if (fd < 0)
		fd = sys(fcntl, *ours, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return;
	sys(close, *ours);
	*ours = (int)fd;
}

void ff_look_dup3(ucontext_t *uc, long nr)
{
	long from = ff_arg(uc, 0), to = ff_arg(uc, 1), fd;

	if (ff_is_our_fd(from)) {
		ff_answer(uc, -EBADF);
		return;
	}
	move_ours(&ff_child.mem, to);
	move_ours(&ff_child.pagemap, to);
	if (ff_is_our_fd(to)) {
		ff_child_leave(uc, FF_REASON_DESCRIPTOR, nr);
		return;
	}
	fd = ff_make(uc, nr);
	if (fd >= 0)
		set_own(fd, ff_is_own_fd(from));
	ff_answer(uc, fd);
}

void ff_look_dup2(ucontext_t *uc, long nr)
{
	ff_look_dup3(uc, nr);
}

void ff_look_pipe(ucontext_t *uc, long nr)
{
	int at = nr == SYS_socketpair ? 3 : 0;
	int *pair = (int *)ff_arg(uc, at);
	long rc;

	if (!ff_serve(uc, nr, ff_rule(nr)->signature))
		return;
	rc = ff_make(uc, nr);
	if (rc < 0) {
		answer_fd(uc, nr, rc);
		return;
	}
	set_own(pair[0], false);
	set_own(pair[1], false);
	if (pair[0] > ff_child.mem || pair[1] > ff_child.mem) {
		sys(close, pair[1]);
		answer_fd(uc, nr, pair[0]);
		return;
	}
	ff_answer(uc, rc);
}

void ff_look_fcntl(ucontext_t *uc, long nr)
{
	long fd = ff_arg(uc, 0), cmd = ff_arg(uc, 1), arg = ff_arg(uc, 2);
	const long changeable = O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT |
				O_NOATIME;
	long flags;

	if (ff_is_our_fd(fd)) {
		ff_answer(uc, -EBADF);
		return;
	}
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		flags = ff_make(uc, nr);
		set_own(flags, ff_is_own_fd(fd));
		if (arg > ff_child.mem)
			ff_answer(uc, flags);
		else
			answer_fd(uc, nr, flags);
		return;
	case F_GETFD:
	case F_SETFD:
	case F_GETFL:
	case F_GETOWN:
	case F_GETPIPE_SZ:
	case F_GETSIG:
		ff_answer(uc, ff_make(uc, nr));
		return;
	case F_SETFL:
		/* Shared with the parent; no change is no effect. */
		flags = sys(fcntl, fd, F_GETFL, 0);
		if (flags < 0 || ((flags ^ arg) & changeable) == 0)
			ff_answer(uc, ff_make(uc, nr));
		else
			ff_output(uc, nr, "f--");
		return;
	default:
		ff_child_leave(uc, FF_REASON_CALL, nr);
	}
}

void ff_look_ioctl(ucontext_t *uc, long nr)
{
	switch ((unsigned long)ff_arg(uc, 1)) {
	case FIOCLEX:
	case FIONCLEX:
		ff_pass(uc, nr, "f--");
		return;
	case TCGETS:
	case TIOCGWINSZ:
	case TIOCGPGRP:
	case TIOCGSID:
	case TIOCGPTN:
	case FIONREAD:
		ff_pass(uc, nr, "f-p");
		return;
	case TIOCSCTTY:
	case TIOCNOTTY:
		/* A session leader that dies hangs up its terminal. */
		ff_output(uc, nr, "f--");
		return;
	default:
		ff_child_leave(uc, FF_REASON_CALL, nr);
	}
}

void ff_look_lseek(ucontext_t *uc, long nr)
{
	long fd = ff_arg(uc, 0), offset = ff_arg(uc, 1), whence = ff_arg(uc, 2);

	if (ff_is_own_fd(fd) ||
	    (whence == SEEK_CUR && offset == 0 && !ff_is_our_fd(fd)) ||
	    (whence == SEEK_SET && !ff_is_our_fd(fd) &&
	     sys(lseek, fd, 0, SEEK_CUR) == offset))
		ff_pass(uc, nr, "f--");
	else
		ff_output(uc, nr, "f--");
}
