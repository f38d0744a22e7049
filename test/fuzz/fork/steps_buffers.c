/* System calls that read or write memory of the child's, wherever that is and
 * whether it may be touched or not. What they put there is seen by looking. */
#include "scene.h"
#include "steps.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct buffer step_buffer(struct rng *r, size_t most)
{
	static const unsigned usual[] = { 1, 8, 100, 4096, 5000, 70000 };
	const struct region *g = &world[rng_below(r, WORLD_REGIONS)];
	size_t all = (size_t)g->pages * WORLD_PAGE;
	size_t from = rng_below(r, (unsigned)all);
	struct buffer b = { g->at + from, RNG_PICK(r, usual) };

	if (b.bytes > most)
		b.bytes = most;
	if (b.bytes > all - from)
		b.bytes = all - from;
	if (rng_percent(r, 2))
		b.at = rng_percent(r, 50) ? NULL : (char *)8;
	return b;
}

struct buffer step_own_buffer(struct rng *r, size_t most)
{
	const struct region *shared = &world[WORLD_SHARED];
	struct buffer b;

	do
		b = step_buffer(r, most);
	while (b.at >= shared->at &&
	       b.at < shared->at + (size_t)shared->pages * WORLD_PAGE);
	return b;
}

/* What was @put comes out again; both ends are closed. */
static long take_out(const int two[2], long put, struct buffer to)
{
	long got = 0;

	if (put > 0)
		got = step_result(read(two[0], to.at, to.bytes));
	close(two[0]);
	close(two[1]);
	return put * 10000 + got;
}

/* From a buffer through a pipe of its own into another. */
static long through_pipe(struct rng *r)
{
	struct buffer from = step_buffer(r, 4096),
		      to = step_own_buffer(r, 4096);
	long put;
	int two[2];

	if (pipe2(two, rng_percent(r, 50) ? O_NONBLOCK : O_CLOEXEC))
		return -errno;
	put = step_result(write(two[1], from.at, from.bytes));
	return take_out(two, put, to);
}

static long through_sockets(struct rng *r)
{
	struct buffer from[3] = { step_buffer(r, 700), step_buffer(r, 700),
				  step_buffer(r, 700) };
	struct iovec v[3];
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 3 };
	struct buffer to = step_own_buffer(r, 4096);
	long put;
	int two[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, two))
		return -errno;
	for (int i = 0; i < 3; i++)
		v[i] = (struct iovec){ from[i].at, from[i].bytes };
	put = step_result(rng_percent(r, 90) ? writev(two[1], v, 3) :
					       sendmsg(two[1], &m, 0));
	return take_out(two, put, to);
}

static long read_file(struct rng *r)
{
	struct buffer b[2] = { step_own_buffer(r, 70000),
			       step_own_buffer(r, 70000) };
	struct iovec v[2] = { { b[0].at, b[0].bytes },
			      { b[1].at, b[1].bytes } };
	int fd = open(rng_percent(r, 50) ? "file" : "witness", O_RDONLY);
	long got;

	if (fd < 0)
		return -errno;
	switch (rng_below(r, 4)) {
	case 0:
		got = step_result(read(fd, v[0].iov_base, v[0].iov_len));
		break;
	case 1:
		got = step_result(readv(fd, v, 2));
		break;
	case 2:
		got = step_result(preadv(fd, v, 2, rng_below(r, 40)));
		break;
	default:
		got = step_result(pread(fd, v[1].iov_base, v[1].iov_len, 3));
	}
	got = got * 100000 + lseek(fd, 0, SEEK_CUR);
	if (rng_percent(r, 80))
		close(fd);
	return got;
}

static long name_directory(struct rng *r)
{
	struct buffer b = step_own_buffer(r, 5000);
	char *got = getcwd(b.at, b.bytes);

	/* without a buffer, libc makes one */
	return got ? 1 : -errno;
}

static long describe_file(struct rng *r)
{
	static const char *const paths[] = { "file", "sub", "missing", "loop",
					     "/dev/null" };
	struct buffer b = step_own_buffer(r, 4096);
	const char *path = RNG_PICK(r, paths);
	struct buffer name = step_buffer(r, 4096);

	switch (rng_below(r, 4)) {
	case 0:
		return step_result(stat(path, (struct stat *)(void *)b.at));
	case 1:
		return step_result(readlink("symlink", b.at, b.bytes));
	case 2:
		/* random bytes, or none that can be read */
		return step_result(access(name.at, R_OK));
	default:
		return step_result(
			fstat(scene_dir_fd, (struct stat *)(void *)b.at));
	}
}

static long open_by_far_name(struct rng *r)
{
	struct region *g = &world[rng_below(r, 2)];
	unsigned page = 1 + rng_below(r, g->pages - 1);
	char *at = g->at + (size_t)page * WORLD_PAGE - 3;
	unsigned char both = g->page[page - 1] & g->page[page];
	int fd;

	if (!(both & 2))
		return 0;
	memcpy(at, "./sub/../file", 14);
	fd = open(at, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(fd);
	return 1;
}

/* By raw calls: libc looks into what it gets, and faults where the kernel
 * would say so. */
#define RAW(name, ...) step_result(syscall(SYS_##name, __VA_ARGS__))

static long ask_system(struct rng *r)
{
	char *at = step_own_buffer(r, 4096).at;

	switch (rng_below(r, 8)) {
	case 0:
		return RAW(uname, at);
	case 1:
		return RAW(getrlimit, RLIMIT_STACK, at);
	case 2:
		return RAW(prlimit64, 0, RLIMIT_CORE, NULL, at);
	case 3:
		return RAW(clock_getres, CLOCK_MONOTONIC, at);
	case 4:
		return RAW(getgroups, 4, at);
	case 5:
		return RAW(sched_getaffinity, 0, 128, at);
	case 6:
		return RAW(getresuid, at, at, at);
	default:
		return RAW(poll, at, at ? 0 : 3, 0);
	}
}

static long give_or_get_signals(struct rng *r)
{
	char *give = step_buffer(r, 4096).at,
	     *get = step_own_buffer(r, 4096).at;

	switch (rng_below(r, 5)) {
	case 0:
		return RAW(rt_sigprocmask, SIG_BLOCK, give, get, 8);
	case 1:
		return RAW(rt_sigaction, SIGUSR2, NULL, get, 8);
	case 2:
		return RAW(rt_sigaction, SIGRTMAX, give, NULL, 9);
	case 3:
		return RAW(sigaltstack, NULL, get);
	default:
		return RAW(rt_sigpending, world_noise, 8);
	}
}

const struct step steps_buffers[] = {
	STEP(8, through_pipe),
	STEP(5, through_sockets),
	QUIET(8, read_file),
	QUIET(3, name_directory),
	QUIET(6, describe_file),
	QUIET(5, open_by_far_name),
	QUIET(6, ask_system),
	QUIET(3, give_or_get_signals),
	{ 0 },
};
