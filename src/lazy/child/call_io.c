/*
 * Calls that move data or an offset. What a child on trial shares with
 * others (an offset, the content of a pipe or file) it may not move.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#include "arch/arch.h"
#include "host/file.h"
#include "host/storage.h"
#include "host/sys.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"
#include "lazy/child/own.h"
#include "lazy/child/pager.h"
#include "lazy/child/watched.h"

#define EVENTS_BYTES 4096 /* what a 'p' stands for */
#define SURE_TO_FIT 4096  /* PIPE_BUF: what a writable pipe takes at once */

/* Would a transfer go through at once? Not with a hang-up or an error. */
static bool is_ready(long fd, short events)
{
	struct pollfd p = { .fd = (int)fd, .events = events };

	return sys(poll, &p, 1, 0) == 1 && p.revents == events;
}

void ff_look_read(ucontext_t *uc, long nr)
{
	const char *signature = ff_call(nr)->signature;
	struct stat st;
	long fd = ff_arg(uc, 0);

	if (ff_is_own_file(fd) ||
	    (ff_get_own(fd) == FF_OWN_PIPE && is_ready(fd, POLLIN))) {
		ff_transfer(uc, nr, signature);
		return;
	}
	/* A regular file answers at once; the offset is shared. */
	if (!ff_is_our_fd(fd) && ff_child.committed &&
	    sys(fstat, fd, &st) == 0 && S_ISREG(st.st_mode))
		ff_transfer(uc, nr, signature);
	else
		ff_child_leave(uc, FF_REASON_CALL, nr);
}

/* A set of its own, of what is its own: nobody hears of it. Its device may be
 * kept from sleep by that, and others see how many there are. */
void ff_look_epoll_ctl(ucontext_t *uc, long nr)
{
	const struct epoll_event *e = (const struct epoll_event *)ff_arg(uc, 3);
	long rc;

	if (!ff_serve(uc, nr, ff_call(nr)->signature))
		return;
	if (ff_get_own(ff_arg(uc, 0)) != FF_OWN_SET ||
	    ff_get_own(ff_arg(uc, 2)) != FF_OWN_PIPE ||
	    (e && (!ff_is_readable((uintptr_t)e, sizeof(*e)) ||
		   (e->events & EPOLLWAKEUP)))) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	rc = ff_make(uc, nr);
	if (rc == -ENOSPC || rc == -ENOMEM)
		ff_child_leave(uc, FF_REASON_CALL, nr);
	else
		ff_answer(uc, rc);
}

void ff_look_epoll_wait(ucontext_t *uc, long nr)
{
	const long fd = ff_arg(uc, 0), most = (int)ff_arg(uc, 2);
	const size_t bytes = (size_t)most * sizeof(struct epoll_event);

	if (ff_get_own(fd) == FF_OWN_SET && most > 0 && bytes <= EVENTS_BYTES &&
	    !ff_meets_watched((uintptr_t)ff_arg(uc, 1), bytes) &&
	    ((int)ff_arg(uc, 3) == 0 || is_ready(fd, POLLIN)))
		ff_pass(uc, nr, ff_call(nr)->signature);
	else
		ff_child_leave(uc, FF_REASON_CALL, nr);
}

void ff_look_getsockopt(ucontext_t *uc, long nr)
{
	uint32_t level = (uint32_t)ff_arg(uc, 1);
	uint32_t option = (uint32_t)ff_arg(uc, 2);

	if ((level | option) > 0xffff)
		ff_child_leave(uc, FF_REASON_CALL, nr);
	else
		ff_pass_request(uc, nr, level << 16 | option);
}

struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

/* The number that is all of the name, or -1. */
static long number_of(const char *s)
{
	long n = 0;

	if (!*s)
		return -1;
	for (; *s >= '0' && *s <= '9' && n < INT_MAX; s++)
		n = n * 10 + (*s - '0');
	return *s ? -1 : n;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * Of what /proc lists by number, only folders of descriptors list ours: fd,
 * where an entry leads to the file, and fdinfo, whose entries are files, and
 * which might be another process's.
 */
enum about {
	OTHERS,
	OURS,
	UNSURE
};

static enum about is_about(long dir, const struct entry *e)
{
	const long fd = number_of(e->name);
	struct stat there, here;

	if (fd < 0 || !ff_is_our_fd(fd) || e->type == DT_DIR)
		return OTHERS;
	if (e->type == DT_LNK)
		return sys(newfstatat, dir, e->name, &there, 0) == 0 &&
				       sys(fstat, fd, &here) == 0 &&
				       is_same_file(&there, &here) ?
			       OURS :
			       OTHERS;
	return UNSURE;
}

/* Take our descriptors out of what is listed; negative: it can't be told. */
static long hide_our_fds(long dir, char *buffer, long used)
{
	enum about about;
	struct entry *e;
	long at = 0;

	while (at < used) {
		e = (struct entry *)(buffer + at);
		about = is_about(dir, e);
		if (about == UNSURE)
			return -1;
		if (about == OTHERS) {
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
	long fd = ff_arg(uc, 0), from, got, used;

	if (!ff_is_own_file(fd)) {
		ff_look_read(uc, nr);
		return;
	}
	if (!ff_serve(uc, nr, "fb-"))
		return;
	sys(fstatfs, fd, &fs);
	from = sys(lseek, fd, 0, SEEK_CUR);
	do {
		got = used = ff_make(uc, nr);
		if (got > 0 && fs.f_type == PROC_SUPER_MAGIC)
			used = hide_our_fds(fd, (char *)ff_arg(uc, 1), got);
	} while (got > 0 && used == 0);
	if (got > 0 && used < 0) {
		sys(lseek, fd, from, SEEK_SET);
		ff_child_leave(uc, FF_REASON_DESCRIPTOR, nr);
	} else {
		ff_answer(uc, used);
	}
}

/* At least, where that is more than is sure to fit. */
static size_t write_bytes(const ucontext_t *uc, long nr)
{
	const struct iovec *v = (const struct iovec *)ff_arg(uc, 1);
	size_t i, n = (size_t)ff_arg(uc, 2), bytes = 0;

	if (nr == SYS_write || nr == SYS_pwrite64)
		return n;
	for (i = 0; i < n && bytes <= SURE_TO_FIT; i++) {
		if (!ff_is_readable((uintptr_t)&v[i], sizeof(*v)))
			return SIZE_MAX;
		bytes += v[i].iov_len;
	}
	return bytes;
}

/* An eventfd is writable where one more fits; who adds too much waits. Other
 * files without a kind are not written. */
static bool count_fits(const ucontext_t *uc, long nr, long fd)
{
	const long flags = sys(fcntl, fd, F_GETFL, 0);
	const uintptr_t at = (uintptr_t)ff_arg(uc, 1);
	uint64_t more;

	if (flags >= 0 && (flags & O_NONBLOCK))
		return true;
	if (nr != SYS_write || ff_arg(uc, 2) != (long)sizeof(more) ||
	    !ff_is_readable(at, sizeof(more)))
		return false;
	memcpy(&more, (const void *)at, sizeof(more));
	return more <= 1;
}

/* Of other files than stored ones the parent may be the server (FUSE); or what
 * is written is its memory (/proc/PID/mem), which is to be as of fork here. */
static bool writes_at_once(const ucontext_t *uc, long nr, long fd)
{
	struct stat st;

	if (sys(fstat, fd, &st) < 0)
		return false;
	if (S_ISREG(st.st_mode))
		return ff_is_stored(ff_file_system(fd));
	if (S_ISCHR(st.st_mode))
		return ff_is_null(&st);
	if (!(st.st_mode & S_IFMT) && !count_fits(uc, nr, fd))
		return false;
	return write_bytes(uc, nr) <= SURE_TO_FIT && is_ready(fd, POLLOUT);
}

/* A committed child writes where that can't block; else it lets go first. */
void ff_look_write(ucontext_t *uc, long nr)
{
	const char *signature = ff_call(nr)->signature;
	long fd = ff_arg(uc, 0);
	bool own = ff_get_own(fd) == FF_OWN_PIPE;

	if (!ff_child.committed && !own) {
		ff_child_leave(uc, FF_REASON_OUTPUT, nr);
		return;
	}
	if (!ff_serve(uc, nr, signature))
		return;
	if (writes_at_once(uc, nr, fd))
		ff_transfer(uc, nr, signature);
	else
		ff_child_leave(uc, FF_REASON_CALL, nr);
}

void ff_look_lseek(ucontext_t *uc, long nr)
{
	long fd = ff_arg(uc, 0), offset = ff_arg(uc, 1), whence = ff_arg(uc, 2);

	if (ff_is_own_file(fd) ||
	    (whence == SEEK_CUR && offset == 0 && !ff_is_our_fd(fd)) ||
	    (whence == SEEK_SET && !ff_is_our_fd(fd) &&
	     sys(lseek, fd, 0, SEEK_CUR) == offset))
		ff_pass(uc, nr, "f--");
	else
		ff_output(uc, nr, "f--");
}
