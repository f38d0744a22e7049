/* Descriptors: numbers, flags, what they stand for. */
#include "state.h"
#include "steps.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

int step_fd(struct rng *r)
{
	static const int odd[] = { -1, 100, 255, 511, 700, 1000, 1023, 4095 };

	return rng_percent(r, 8) ? RNG_PICK(r, odd) :
				   (int)rng_below(r, STATE_LOW + 8);
}

static long open_one(struct rng *r)
{
	static const char *const paths[] = {
		"file",	     "target",	  "sub",     ".",	    "missing",
		"/dev/null", "sub/..",	  "symlink", "loop",	    "/proc",
		"fifo",	     "/dev/fd/3", "private", "/etc/passwd",
	};
	static const int flags[] = { O_RDONLY,
				     O_RDONLY | O_CLOEXEC,
				     O_RDWR,
				     O_WRONLY | O_APPEND,
				     O_RDONLY | O_DIRECTORY,
				     O_PATH,
				     O_RDONLY | O_NOFOLLOW,
				     O_RDONLY | O_NONBLOCK };
	const char *path = RNG_PICK(r, paths);
	int flag = RNG_PICK(r, flags);

	/* nobody is at the other end of the fifo, nor of some pipes */
	if (path == paths[10] || path == paths[11])
		flag |= O_NONBLOCK;
	return step_result(open(path, flag));
}

static long close_one(struct rng *r)
{
	return step_result(close(step_fd(r)));
}

static long duplicate(struct rng *r)
{
	int from = step_fd(r), to = step_fd(r);

	switch (rng_below(r, 5)) {
	case 0:
		return step_result(dup(from));
	case 1:
		return step_result(dup3(from, to, O_CLOEXEC));
	case 2:
		return step_result(fcntl(from, F_DUPFD, to));
	case 3:
		return step_result(
			fcntl(from, F_DUPFD_CLOEXEC, (int)rng_below(r, 1100)));
	default:
		return step_result(dup2(from, to));
	}
}

static long change_flags(struct rng *r)
{
	int fd = step_fd(r), now = fcntl(fd, F_GETFL);

	switch (rng_below(r, 5)) {
	case 0:
		return step_result(fcntl(fd, F_SETFD, (int)rng_below(r, 2)));
	case 1:
		return step_result(ioctl(fd, FIOCLEX));
	case 2:
		return now < 0 ? -errno : step_result(fcntl(fd, F_SETFL, now));
	case 3:
		return step_result(fcntl(fd, F_GETFD));
	default:
		return step_result(now);
	}
}

static long make_pair(struct rng *r)
{
	int two[2], rc;

	switch (rng_below(r, 4)) {
	case 0:
		return step_result(eventfd(1, EFD_CLOEXEC));
	case 1:
		rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, two);
		break;
	case 2:
		rc = pipe(two);
		break;
	default:
		rc = pipe2(two, O_CLOEXEC | O_NONBLOCK);
	}
	if (rc)
		return -errno;
	rc = two[0] * 10000 + two[1];
	if (rng_percent(r, 60)) {
		close(two[0]);
		close(two[1]);
	}
	return rc;
}

static long close_many(struct rng *r)
{
	unsigned first = rng_below(r, 50), last = first + rng_below(r, 2000);

	switch (rng_below(r, 6)) {
	case 0:
		return step_result(
			close_range(first, last, CLOSE_RANGE_CLOEXEC));
	case 1:
		return step_result(close_range(last, first, 0));
	case 2:
		closefrom((int)first + 3);
		return 0;
	case 3:
		for (unsigned fd = first; fd < last && fd < 1100; fd++)
			close((int)fd);
		return 0;
	default:
		return step_result(close_range(first, last, 0));
	}
}

static long seek(struct rng *r)
{
	return step_result(lseek(step_fd(r), 0, SEEK_CUR));
}

static long ask_terminal(struct rng *r)
{
	struct termios t;
	struct winsize size;
	int fd = rng_percent(r, 50) ? state_tty : step_fd(r);

	switch (rng_below(r, 3)) {
	case 0:
		return step_result(tcgetattr(fd, &t));
	case 1:
		return step_result(ioctl(fd, TIOCGWINSZ, &size));
	default:
		return isatty(fd);
	}
}

/* Which are open, as the child sees it. */
static long list_all(struct rng *r)
{
	DIR *all = opendir(rng_percent(r, 70) ? "/proc/self/fd" : "/dev/fd");
	long count = 0, sum = 0;
	struct dirent *e;

	if (!all)
		return -errno;
	while ((e = readdir(all))) {
		count++;
		for (const char *c = e->d_name; *c; c++)
			sum = sum * 3 + *c;
	}
	closedir(all);
	return count * 1000 + sum % 1000;
}

static long open_and_seek(struct rng *r)
{
	int fd = open("file", O_RDWR | O_CLOEXEC), flags;
	long at;

	if (fd < 0)
		return -errno;
	at = step_result(lseek(fd, (off_t)rng_below(r, 30), SEEK_SET));
	flags = fcntl(fd, F_GETFL);
	if (rng_percent(r, 10))
		fcntl(fd, F_SETFL, flags ^ O_APPEND);
	return at;
}

const struct step steps_fds[] = {
	QUIET(10, open_one),
	QUIET(6, close_one),
	QUIET(10, duplicate),
	QUIET(6, change_flags),
	QUIET(6, make_pair),
	QUIET(4, close_many),
	STEP(3, seek),
	QUIET(2, ask_terminal),
	STEP(4, list_all),
	QUIET(3, open_and_seek),
	{ 0 },
};
