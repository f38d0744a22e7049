/* What a call takes away from a descriptor that parent and child share: an
 * error that is told once, a datagram, an event, a byte of a queue. */
#include "around.h"
#include "scene.h"
#include "steps.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
	REFUSED, /* a socket with an error to tell */
	PAIR,	 /* datagrams wait */
	OTHER,	 /* where they come from */
	COUNTER, /* an eventfd */
	TIMER,	 /* that has run out */
	EPOLL,	 /* of COUNTER, by edge */
	PIPE,
	PIPE_IN,
	OPEN_FILE,
	NR,
};

static int fd[NR];

static bool begin(void)
{
	struct sockaddr_in nobody = { .sin_family = AF_INET,
				      .sin_port = htons(9) };
	int two[2];

	nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd[REFUSED] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (fd[REFUSED] < 0 ||
	    connect(fd[REFUSED], (struct sockaddr *)&nobody, sizeof(nobody)))
		return false;
	MUST(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, two));
	fd[PAIR] = two[0];
	fd[OTHER] = two[1];
	MUST(!pipe2(two, O_NONBLOCK));
	fd[PIPE] = two[0];
	fd[PIPE_IN] = two[1];
	fd[COUNTER] = eventfd(0, EFD_NONBLOCK);
	fd[TIMER] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	fd[EPOLL] = epoll_create1(0);
	fd[OPEN_FILE] = open("file", O_RDWR);
	for (int i = 0; i < NR; i++)
		fd[i] = scene_out_of_the_way(fd[i]);
	return true;
}

static void drain(int from)
{
	char text[512];

	while (read(from, text, sizeof(text)) > 0)
		;
}

static void before(struct rng *r)
{
	static const struct itimerspec past = { .it_value.tv_nsec = 1 };
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	uint64_t some = 5;
	int error;
	socklen_t bytes = sizeof(error);

	(void)r;
	getsockopt(fd[REFUSED], SOL_SOCKET, SO_ERROR, &error, &bytes);
	send(fd[REFUSED], "x", 1, 0);
	for (int i = PAIR; i < EPOLL; i++)
		drain(fd[i]);
	drain(fd[PIPE]);
	for (int i = 0; i < 3; i++)
		send(fd[OTHER], "datagram", 6 + (size_t)i, 0);
	MUST(write(fd[COUNTER], &some, sizeof(some)) == sizeof(some));
	MUST(!timerfd_settime(fd[TIMER], 0, &past, NULL));
	epoll_ctl(fd[EPOLL], EPOLL_CTL_DEL, fd[COUNTER], NULL);
	MUST(!epoll_ctl(fd[EPOLL], EPOLL_CTL_ADD, fd[COUNTER], &e));
	MUST(write(fd[PIPE_IN], "0123456789", 10) == 10);
	MUST(lseek(fd[OPEN_FILE], 7, SEEK_SET) == 7);
	flock(fd[OPEN_FILE], LOCK_EX | LOCK_NB);
}

static uint64_t after(void)
{
	int error = 0, waiting = 0;
	socklen_t bytes = sizeof(error);
	struct epoll_event e;
	uint64_t h = 1, value;

	getsockopt(fd[REFUSED], SOL_SOCKET, SO_ERROR, &error, &bytes);
	h = around_mix(h, (uint64_t)error);
	for (int i = 0; i < 5; i++)
		h = around_mix(h, (uint64_t)recv(fd[PAIR], &value,
						 sizeof(value), MSG_TRUNC));
	h = around_mix(h, (uint64_t)epoll_wait(fd[EPOLL], &e, 1, 0));
	value = 0;
	(void)!read(fd[COUNTER], &value, sizeof(value));
	h = around_mix(h, value);
	h = around_mix(h, (uint64_t)read(fd[TIMER], &value, sizeof(value)));
	ioctl(fd[PIPE], FIONREAD, &waiting);
	h = around_mix(h, (uint64_t)waiting);
	return around_mix(h, (uint64_t)lseek(fd[OPEN_FILE], 0, SEEK_CUR));
}

static long tell_error(struct rng *r)
{
	int error = 0;
	socklen_t bytes = sizeof(error);
	long rc;

	if (rng_percent(r, 30))
		return step_result(send(fd[REFUSED], "y", 1, 0));
	rc = step_result(
		getsockopt(fd[REFUSED], SOL_SOCKET, SO_ERROR, &error, &bytes));
	return rc * 1000 + error;
}

static long receive(struct rng *r)
{
	static const int flags[] = { 0, MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT };
	char text[20];
	struct iovec to = { text, sizeof(text) };
	struct msghdr m = { .msg_iov = &to, .msg_iovlen = 1 };

	switch (rng_below(r, 4)) {
	case 0:
		return step_result(recvmsg(fd[PAIR], &m, RNG_PICK(r, flags)));
	case 1:
		return step_result(recv(fd[PAIR], text, 3, RNG_PICK(r, flags)));
	case 2:
		return step_result(readv(fd[PIPE], &to, 1));
	default:
		return step_result(read(fd[PIPE], text, 2));
	}
}

static long count(struct rng *r)
{
	uint64_t value = 0;
	long rc = step_result(
		read(fd[rng_percent(r, 50) ? COUNTER : TIMER], &value, 8));

	return rc < 0 ? rc : (long)(value > 0);
}

static long look(struct rng *r)
{
	struct pollfd p = { .events = POLLIN | POLLOUT };
	struct epoll_event e;
	int rc, wait;

	if (rng_percent(r, 40))
		return step_result(epoll_wait(fd[EPOLL], &e, 1, 0));
	p.fd = fd[rng_below(r, NR)];
	wait = (int)rng_below(r, 2);
	while ((rc = poll(&p, 1, wait)) < 0 && errno == EINTR)
		;
	return rc * 1000 + p.revents;
}

static long move(struct rng *r)
{
	char c;

	switch (rng_below(r, 4)) {
	case 0:
		return step_result(lseek(fd[OPEN_FILE], 2, SEEK_CUR));
	case 1:
		return step_result(read(fd[OPEN_FILE], &c, 1));
	case 2:
		return step_result(flock(fd[OPEN_FILE], LOCK_UN));
	default:
		return step_result(pread(fd[OPEN_FILE], &c, 1, 3));
	}
}

static const struct step steps[] = {
	STEP(3, tell_error), STEP(3, receive), STEP(2, count),
	STEP(3, look),	     QUIET(2, move),   { 0 },
};

const struct around around_files = {
	"files", 25, begin, before, NULL, after, steps,
};
