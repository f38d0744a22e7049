/*
 * Calls that ask whether descriptors are ready. To ask is free where it takes
 * nothing; to wait is not, nor is a mask for the time of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "arch/arch.h"
#include "host/file.h"
#include "host/storage.h"
#include "host/sys.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"
#include "lazy/child/own.h"
#include "lazy/child/pager.h"

/* D's library asks for each descriptor that there might be, up to this. */
#define POLL_MAX (128UL << 10)
/* As many as fit what is fetched of a struct. */
#define SELECT_MAX (4096L * 8)

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

/* A descriptor's name in /proc, which takes no zero in front. */
static void name_fd(char name[32], int fd)
{
	static const char folder[] = "/proc/self/fd/";
	char digits[12], *d = digits + sizeof(digits) - 1;

	*d = 0;
	do
		*--d = (char)('0' + fd % 10);
	while (fd /= 10);
	memcpy(name, folder, sizeof(folder) - 1);
	memcpy(name + sizeof(folder) - 1, d,
	       (size_t)(digits + sizeof(digits) - d));
}

#define KIND_BYTES 32

/*
 * Files that are in no folder. An epoll set asks those in it, which may be of a
 * kind that is taken: there is nothing to be told of it where no event is named.
 */
static bool is_kind_that_keeps(int fd, short events)
{
	static const char set[KIND_BYTES] = "anon_inode:[eventpoll]";
	static const char kinds[][KIND_BYTES] = {
		"anon_inode:[eventfd]",
		"anon_inode:[timerfd]",
		"anon_inode:[signalfd]",
		"anon_inode:inotify",
	};
	char name[32], kind[KIND_BYTES] = "";
	size_t i;

	name_fd(name, fd);
	if (sys(readlinkat, AT_FDCWD, name, kind, sizeof(kind) - 1) <= 0)
		return false;
	if (!events && !memcmp(kind, set, sizeof(kind)))
		return true;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!memcmp(kind, kinds[i], sizeof(kind)))
			return true;
	return false;
}

/*
 * Of some files, whoever asks takes the answer (mounts, pressure, perf events):
 * on trial only such are asked as are known not to be of that kind.
 */
static bool is_asked_freely(int fd, short events)
{
	struct stat st;

	if (ff_child.committed || fd < 0 || ff_get_own(fd) != FF_FOREIGN ||
	    sys(fstat, fd, &st) < 0)
		return true;
	switch (st.st_mode & S_IFMT) {
	case S_IFIFO:
	case S_IFSOCK:
	case S_IFDIR:
		return true;
	case S_IFREG:
		return ff_file_system(fd) == FF_FS_STORAGE;
	case S_IFCHR:
		return ff_is_null(&st);
	case 0:
		return is_kind_that_keeps(fd, events);
	default:
		return false;
	}
}

/* The array is fetched, and there. */
static bool polls_freely(const struct pollfd *p, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++)
		if (!ff_is_our_fd(p[i].fd) && !is_asked_freely(p[i].fd, p[i].events))
			return false;
	return true;
}

/* Ours are not open to the program. */
static long without_ours(struct pollfd *p, unsigned count, long ready)
{
	unsigned i;

	for (i = 0; ready >= 0 && i < count; i++)
		if (ff_is_our_fd(p[i].fd)) {
			ready += p[i].revents == 0;
			p[i].revents = POLLNVAL;
		}
	return ready;
}

static bool is_there(uintptr_t at, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i += FF_PAGE)
		if (!ff_is_readable(at + i, 1))
			return false;
	return bytes == 0 || ff_is_readable(at + bytes - 1, 1);
}

static void poll_at_once(ucontext_t *uc, long nr)
{
	struct pollfd *p = (struct pollfd *)ff_arg(uc, 0);
	const unsigned count = (unsigned)ff_arg(uc, 1);
	const size_t bytes = count * sizeof(*p);
	long ready;

	if (count > POLL_MAX || ff_fetch((uintptr_t)p, bytes) < 0 ||
	    !is_there((uintptr_t)p, bytes) || !polls_freely(p, count)) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	ready = ff_make(uc, nr);
	if (ready == -EFAULT)
		ff_child_leave(uc, FF_REASON_CALL, nr);
	else
		ff_answer(uc, without_ours(p, count, ready));
}

void ff_look_poll(ucontext_t *uc, long nr)
{
	if ((int)ff_arg(uc, 2) != 0)
		ff_child_leave(uc, FF_REASON_CALL, nr);
	else
		poll_at_once(uc, nr);
}

void ff_look_ppoll(ucontext_t *uc, long nr)
{
	if (!ff_serve(uc, nr, "p-pr-"))
		return;
	if (!is_no_time(ff_arg(uc, 2)) || ff_arg(uc, 3))
		ff_child_leave(uc, FF_REASON_CALL, nr);
	else
		poll_at_once(uc, nr);
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
			    (ff_is_our_fd(fd) ||
			     !is_asked_freely(fd, POLLIN)))
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

