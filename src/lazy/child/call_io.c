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
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>

#include "arch/arch.h"
#include "host/file.h"
#include "host/sys.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"
#include "lazy/child/own.h"
#include "lazy/child/pager.h"

#define SURE_TO_FIT 4096 /* PIPE_BUF: what a writable pipe takes at once */
/* As many as fit what is fetched of a struct. */
#define POLL_MAX (4096 / sizeof(struct pollfd))
#define SELECT_MAX (4096L * 8)

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

/* Asking whether descriptors are ready is free; waiting for them is not, nor
 * is a mask for the time of it. */
static void ask(ucontext_t *uc, long nr, bool waits, bool may_take)
{
	if (waits || may_take)
		ff_child_leave(uc, FF_REASON_CALL, nr);
	else
		ff_pass(uc, nr, "");
}

/* A struct timespec or timeval, which is there and zero. */
static bool is_no_time(long at)
{
	const struct timespec *t = (const struct timespec *)at;

	return t && ff_is_readable((uintptr_t)t, sizeof(*t)) &&
	       t->tv_sec == 0 && t->tv_nsec == 0;
}

/*
 * Ours are not open to the program. And of some files, whoever asks takes the
 * answer (mounts, pressure, perf events): on trial only such are asked as are
 * known not to be of that kind.
 */
static bool is_asked_freely(long fd)
{
	struct stat st;

	if (ff_is_our_fd(fd))
		return false;
	return ff_child.committed || fd < 0 || ff_get_own(fd) != FF_FOREIGN ||
	       sys(fstat, fd, &st) < 0 || S_ISFIFO(st.st_mode) ||
	       S_ISSOCK(st.st_mode) || ff_is_null(&st);
}

static bool polls_freely(long at, unsigned long count)
{
	const struct pollfd *p = (const struct pollfd *)at;
	unsigned long i;

	if (count > POLL_MAX)
		return false;
	for (i = 0; i < count; i++)
		if (!ff_is_readable((uintptr_t)&p[i], sizeof(*p)) ||
		    !is_asked_freely(p[i].fd))
			return false;
	return true;
}

void ff_look_poll(ucontext_t *uc, long nr)
{
	if (ff_serve(uc, nr, "p--"))
		ask(uc, nr, (int)ff_arg(uc, 2) != 0,
		    !polls_freely(ff_arg(uc, 0), (unsigned)ff_arg(uc, 1)));
}

void ff_look_ppoll(ucontext_t *uc, long nr)
{
	if (ff_serve(uc, nr, "p-pr-"))
		ask(uc, nr, !is_no_time(ff_arg(uc, 2)) || ff_arg(uc, 3),
		    !polls_freely(ff_arg(uc, 0), (unsigned)ff_arg(uc, 1)));
}

static bool is_in_set(long at, int fd)
{
	const unsigned char *byte = (const unsigned char *)at + fd / 8;

	return at && (!ff_is_readable((uintptr_t)byte, 1) ||
		      ((*byte >> (fd % 8)) & 1));
}

static bool selects_freely(const ucontext_t *uc)
{
	const long count = (int)ff_arg(uc, 0);
	int i, fd;

	if (count > SELECT_MAX)
		return false;
	for (fd = 0; fd < count; fd++)
		for (i = 1; i <= 3; i++)
			if (is_in_set(ff_arg(uc, i), fd) &&
			    !is_asked_freely(fd))
				return false;
	return true;
}

/* What pselect6 has for a sixth argument: a mask and its size. */
static bool has_mask(long at)
{
	return at && (!ff_is_readable((uintptr_t)at, sizeof(long)) ||
		      *(const long *)at);
}

void ff_look_select(ucontext_t *uc, long nr)
{
	if (ff_serve(uc, nr, ff_call(nr)->signature))
		ask(uc, nr,
		    !is_no_time(ff_arg(uc, 4)) ||
			    (nr == SYS_pselect6 && has_mask(ff_arg(uc, 5))),
		    !selects_freely(uc));
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

/* A committed child writes where that can't block; else it lets go first. */
void ff_look_write(ucontext_t *uc, long nr)
{
	const char *signature = ff_call(nr)->signature;
	long fd = ff_arg(uc, 0);
	bool own = ff_get_own(fd) == FF_OWN_PIPE;
	struct stat st;

	if (!ff_child.committed && !own) {
		ff_child_leave(uc, FF_REASON_OUTPUT, nr);
		return;
	}
	if (!ff_serve(uc, nr, signature))
		return;
	if (sys(fstat, fd, &st) == 0 &&
	    (S_ISREG(st.st_mode) || ff_is_null(&st) ||
	     (!S_ISCHR(st.st_mode) && write_bytes(uc, nr) <= SURE_TO_FIT &&
	      is_ready(fd, POLLOUT))))
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
