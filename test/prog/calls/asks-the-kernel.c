/*
 * What a child asks before exec and nobody else sees: whether descriptors are
 * ready, by all calls that can ask without waiting; whether one is a terminal,
 * as new libcs ask; its timers, which end with it. Then exec.
 *
 * Test: -l -e FLATFORK_LEND=off
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY 1027
#endif
#define T_TCGETS2 0x802c542aUL

static int ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec none = { 0 };
	struct timeval nothing = { 0 };
	struct {
		const void *set;
		size_t bytes;
	} mask = { NULL, 8 };
	fd_set in;
	int n;

	n = poll(&p, 1, 0);
	n += 2 * (int)syscall(SYS_ppoll, &p, 1, &none, NULL, 8);
	FD_ZERO(&in);
	FD_SET(fd, &in);
	n += 4 * select(fd + 1, &in, NULL, NULL, &nothing);
	FD_SET(fd, &in);
	n += 8 * (int)syscall(SYS_select, fd + 1, &in, NULL, NULL, &nothing);
	FD_SET(fd, &in);
	n += 16 *
	     (int)syscall(SYS_pselect6, fd + 1, &in, NULL, NULL, &none, &mask);
	return n;
}

static int timers(void)
{
	struct sigevent none = { .sigev_notify = SIGEV_NONE };
	struct itimerspec t = { .it_value = { 1000, 0 } };
	timer_t id;

	if (timer_create(CLOCK_MONOTONIC, &none, &id) ||
	    timer_settime(id, 0, &t, NULL) || timer_gettime(id, &t))
		return -1;
	if (t.it_value.tv_sec < 900 || timer_getoverrun(id) != 0)
		return -2;
	return timer_delete(id);
}

int main(void)
{
	int empty[2], full[2], pair[2];

	t_start(32);
	CHECK(!pipe(empty) && !pipe(full) && write(full[1], "x", 1) == 1);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	for (int i = 0; i < 4; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			char termios[64] = { 0 };
			int r[6], type = 0;
			socklen_t bytes = sizeof(type);

			r[0] = ready(empty[0]);
			r[1] = ready(full[0]);
			r[2] = ioctl(empty[0], T_TCGETS2, termios) ? errno : 0;
			r[3] = timers();
			r[4] = getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &type,
					  &bytes) == 0 &&
			       type == SOCK_STREAM;
			r[5] = fcntl(pair[0], F_DUPFD_QUERY, pair[1]) > 0;
			t_exec_say("%d %d %d %d %d %d", r[0], r[1], r[2], r[3],
				   r[4], r[5]);
		}
		t_reap(pid, "child");
	}
	for (int i = 0; i < 2; i++) {
		close(empty[i]);
		close(full[i]);
		close(pair[i]);
	}
	return t_end();
}
