/*
 * Calls on descriptors as such. A child on trial may make and drop
 * descriptors of its own; file status flags are shared, and the pager's
 * descriptors do not exist for the program (H-M3); the size of a folder of
 * descriptors is how many there are (Linux 6.2).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "arch/arch.h"
#include "host/device.h"
#include "host/sys.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"
#include "lazy/child/own.h"

static long close_it(long fd)
{
	if (ff_is_our_fd(fd))
		return -EBADF;
	ff_set_own(fd, FF_FOREIGN);
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
	return rc == 0 && low <= last ? sys(close_range, low, last, flags) : rc;
}

void ff_look_close_range(ucontext_t *uc, long nr)
{
	unsigned first = (unsigned)ff_arg(uc, 0),
		 last = (unsigned)ff_arg(uc, 1);
	unsigned fd;

	if ((ff_arg(uc, 2) & CLOSE_RANGE_UNSHARE) && ff_thread_is_there()) {
		ff_child_leave(uc, FF_REASON_CALL, nr); /* H-Z6 */
		return;
	}
	if (first > last) {
		ff_answer(uc, ff_make(uc, nr));
		return;
	}
	for (fd = first; fd <= last && fd < FF_OWN_FDS; fd++)
		ff_set_own(fd, FF_FOREIGN);
	ff_answer(uc, close_range_around(first, last, ff_arg(uc, 2)));
}

/* socket, eventfd2, memfd_create, ... and dup: a new descriptor. */
void ff_look_dup(ucontext_t *uc, long nr)
{
	long fd;

	if (!ff_serve(uc, nr, ff_call(nr)->signature))
		return;
	fd = ff_make(uc, nr);
	ff_set_own(fd, nr == SYS_dup	       ? ff_get_own(ff_arg(uc, 0)) :
		       nr == SYS_eventfd2      ? FF_OWN_PIPE :
		       nr == SYS_epoll_create1 ? FF_OWN_SET :
						 FF_FOREIGN);
	ff_answer_fd(uc, nr, 0, fd);
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

	/* Ours may come to lie where @from is, if that is not open. */
	if (!ff_is_our_fd(from)) {
		move_ours(&ff_child.mem, to);
		move_ours(&ff_child.pagemap, to);
	}
	if (ff_is_our_fd(from)) {
		/* these the kernel looks at first */
		bool wrong = nr == SYS_dup3 &&
			     (from == to || (ff_arg(uc, 2) & ~O_CLOEXEC));

		ff_answer(uc, wrong ? -EINVAL : -EBADF);
		return;
	}
	if (ff_is_our_fd(to)) {
		ff_child_leave(uc, FF_REASON_DESCRIPTOR, nr);
		return;
	}
	fd = ff_make(uc, nr);
	if (fd >= 0)
		ff_set_own(fd, ff_get_own(from));
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

	if (!ff_serve(uc, nr, ff_call(nr)->signature))
		return;
	rc = ff_make(uc, nr);
	if (rc < 0) {
		ff_answer_fd(uc, nr, 0, rc);
		return;
	}
	ff_set_own(pair[0], FF_OWN_PIPE);
	ff_set_own(pair[1], FF_OWN_PIPE);
	ff_answer_pair(uc, nr, pair);
}

void ff_look_fcntl(ucontext_t *uc, long nr)
{
	long fd = ff_arg(uc, 0), cmd = (int)ff_arg(uc, 1), arg = ff_arg(uc, 2);
	const long changeable =
		O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME;
	long flags;

	if (ff_is_our_fd(fd)) {
		ff_answer(uc, -EBADF);
		return;
	}
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		flags = ff_make(uc, nr);
		ff_set_own(flags, ff_get_own(fd));
		ff_answer_fd(uc, nr, arg, flags);
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
		ff_pass_request(uc, nr, (unsigned long)cmd);
	}
}

/* Has it the rights of a folder of descriptors, and none of storage? */
static bool may_list_fds(unsigned mode, unsigned device, uint64_t bytes)
{
	return (mode & (S_IFMT | 07777)) == (S_IFDIR | S_IRUSR | S_IXUSR) &&
	       device == 0 && bytes > 0;
}

/* Of the descriptors of this process, seen in /proc/self? Other ways to them
 * are not known from those of other processes. */
static bool is_own_folder(unsigned device, uint64_t inode)
{
	struct stat st;

	return sys(stat, "/proc/self/fd", &st) == 0 &&
	       ff_minor(st.st_dev) == device && st.st_ino == inode;
}

/* Take ours from what was told. False: it can't be known whether they are. */
static bool forget_ours(char kind, void *answer)
{
	struct statx *x = answer;
	struct stat *st = answer;

	if (kind == 'T') {
		if (!may_list_fds(x->stx_mode, x->stx_dev_major, x->stx_size))
			return true;
		if (!is_own_folder(x->stx_dev_minor, x->stx_ino))
			return false;
		x->stx_size -= (uint64_t)ff_our_fds();
		return true;
	}
	if (!may_list_fds(st->st_mode, ff_major(st->st_dev),
			  (uint64_t)st->st_size))
		return true;
	if (!is_own_folder(ff_minor(st->st_dev), st->st_ino))
		return false;
	st->st_size -= ff_our_fds();
	return true;
}

void ff_look_stat(ucontext_t *uc, long nr)
{
	const char *signature = ff_call(nr)->signature;
	long rc;
	int at;

	if (!ff_serve(uc, nr, signature))
		return;
	for (at = 0; signature[at] != 't' && signature[at] != 'T'; at++)
		;
	rc = ff_make(uc, nr);
	if (rc == -EFAULT)
		ff_child_leave(uc, FF_REASON_CALL, nr);
	else if (rc == 0 && !forget_ours(signature[at], (void *)ff_arg(uc, at)))
		ff_child_leave(uc, FF_REASON_DESCRIPTOR, nr);
	else
		ff_answer(uc, rc);
}

void ff_look_ioctl(ucontext_t *uc, long nr)
{
	ff_pass_request(uc, nr, (uint32_t)ff_arg(uc, 1));
}
