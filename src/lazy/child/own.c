#include "lazy/child/own.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

#include "arch/arch.h"
#include "host/sys.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"

/* -1: there is none. */
static bool is(int ours, long fd)
{
	return ours >= 0 && ours == (int)fd;
}

bool ff_is_our_fd(long fd)
{
	return is(ff_child.mem, fd) || is(ff_child.pagemap, fd);
}

/* Where it leads is not looked up: relative names may lead to /proc, too. */
bool ff_is_name_of_ours(const char *path)
{
	long fd = 0;
	int c;

	for (;; path++) {
		c = ff_peek(path);
		if (c >= '0' && c <= '9' && fd >= 0 && fd <= INT_MAX) {
			fd = fd * 10 + (c - '0');
			continue;
		}
		if (c > 0 && c != '/') {
			fd = -1;
			continue;
		}
		if (fd >= 0 && ff_is_our_fd(fd))
			return true;
		if (c <= 0)
			return false;
		fd = 0;
	}
}

int ff_our_fds(void)
{
	return (ff_child.mem >= 0) + (ff_child.pagemap >= 0);
}

static bool in_set(const uint64_t *set, long fd)
{
	return fd >= 0 && fd < FF_OWN_FDS && ((set[fd / 64] >> (fd % 64)) & 1);
}

enum ff_own ff_get_own(long fd)
{
	return in_set(ff_child.own_fd, fd)   ? FF_OWN_FILE :
	       in_set(ff_child.own_pipe, fd) ? FF_OWN_PIPE :
	       in_set(ff_child.own_set, fd)  ? FF_OWN_SET :
					       FF_FOREIGN;
}

bool ff_is_own_file(long fd)
{
	return ff_get_own(fd) == FF_OWN_FILE;
}

void ff_set_own(long fd, enum ff_own own)
{
	uint64_t bit = (uint64_t)1 << (fd % 64);

	if (fd < 0 || fd >= FF_OWN_FDS)
		return;
	ff_child.own_fd[fd / 64] &= ~bit;
	ff_child.own_pipe[fd / 64] &= ~bit;
	ff_child.own_set[fd / 64] &= ~bit;
	if (own == FF_OWN_FILE)
		ff_child.own_fd[fd / 64] |= bit;
	else if (own == FF_OWN_PIPE)
		ff_child.own_pipe[fd / 64] |= bit;
	else if (own == FF_OWN_SET)
		ff_child.own_set[fd / 64] |= bit;
}

/* Is one of ours in [from, fd)? All may be where there was no room. */
static bool took_from(long from, long fd)
{
	const long end = fd == -EMFILE ? INT_MAX : fd;

	return (ff_child.mem >= 0 && from <= ff_child.mem &&
		ff_child.mem < end) ||
	       (ff_child.pagemap >= 0 && from <= ff_child.pagemap &&
		ff_child.pagemap < end);
}

void ff_answer_fd(ucontext_t *uc, long nr, long from, long fd)
{
	if (took_from(from, fd)) {
		if (fd >= 0)
			sys(close, fd);
		ff_child_leave(uc, FF_REASON_DESCRIPTOR, nr);
	} else if (fd == -EFAULT) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
	} else {
		ff_answer(uc, fd);
	}
}

void ff_answer_pair(ucontext_t *uc, long nr, const int pair[2])
{
	if (took_from(0, pair[0]) || took_from(0, pair[1])) {
		sys(close, pair[0]);
		sys(close, pair[1]);
		ff_child_leave(uc, FF_REASON_DESCRIPTOR, nr);
	} else {
		ff_answer(uc, 0);
	}
}

bool ff_next_fd_is_free(void)
{
	const int ours = ff_child.mem >= 0 ? ff_child.mem : ff_child.pagemap;
	long fd;

	if (ours < 0)
		return true;
	fd = sys(fcntl, ours, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0)
		sys(close, fd);
	return !took_from(0, fd);
}
