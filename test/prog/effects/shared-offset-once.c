/*
 * Argument exec or exit. What a child does to descriptions it shares with
 * its parent happens exactly once: lseek, read, write, O_APPEND, O_NONBLOCK,
 * a pipe's and an eventfd's content, a timerfd's expirations, datagrams, an
 * accepted connection, an epoll set.
 *
 * Test: shared-offset-{exec,exit} {}
 */
#include "t.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

static const char *how;

static _Noreturn void end(int ok)
{
	if (!strcmp(how, "exit"))
		_exit(ok ? 0 : 50);
	t_exec_exit(ok ? 0 : 50);
}

#define CHILD(what, ...)               \
	do {                           \
		pid_t pid_ = t_fork(); \
		if (pid_ == 0) {       \
			int ok = 0;    \
			__VA_ARGS__;   \
			end(ok);       \
		}                      \
		t_reap(pid_, what);    \
	} while (0)

static void offsets(void)
{
	int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	char text[100] = "0123456789abcdefghijklmnopqrstuvwxyz";

	CHECK(fd >= 0 && write(fd, text, 100) == 100);
	lseek(fd, 10, SEEK_SET);
	CHILD("lseek", ok = lseek(fd, 5, SEEK_CUR) == 15);
	printf("offset %ld\n", (long)lseek(fd, 0, SEEK_CUR));
	CHILD("read", ok = read(fd, text, 7) == 7 && text[0] == 'f');
	printf("offset %ld\n", (long)lseek(fd, 0, SEEK_CUR));
	CHILD("both", ok = lseek(fd, -2, SEEK_CUR) == 20 &&
			   read(fd, text, 3) == 3 && text[0] == 'k');
	printf("offset %ld\n", (long)lseek(fd, 0, SEEK_CUR));
	CHILD("lseek then write",
	      ok = lseek(fd, 7, SEEK_CUR) == 30 && write(fd, "W", 1) == 1);
	printf("offset %ld\n", (long)lseek(fd, 0, SEEK_CUR));
	CHILD("many", for (int i = 0; i < 5; i++) ok += read(fd, text, 1);
	      ok = ok == 5 && lseek(fd, 1, SEEK_CUR) == 37);
	printf("offset %ld\n", (long)lseek(fd, 0, SEEK_CUR));
	CHILD("append",
	      ok = fcntl(fd, F_SETFL, O_APPEND) == 0 && write(fd, "A", 1) == 1);
	printf("offset %ld flags %o\n", (long)lseek(fd, 0, SEEK_CUR),
	       fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK));
	CHILD("toggle",
	      ok = fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) ^ O_NONBLOCK) == 0);
	printf("flags %o\n", fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK));
	CHILD("dup'ed", ok = dup2(fd, 77) == 77 && lseek(77, 3, SEEK_SET) == 3);
	printf("offset %ld\n", (long)lseek(fd, 0, SEEK_CUR));
	CHILD("truncate", ok = ftruncate(fd, lseek(fd, 0, SEEK_END) - 1) == 0);
	printf("size %ld\n", (long)lseek(fd, 0, SEEK_END));
	close(fd);
}

static void queues(void)
{
	int p[2], s[2], e = eventfd(10, EFD_NONBLOCK), n;
	uint64_t v = 0;
	char text[100];

	CHECK(!pipe2(p, O_NONBLOCK) && write(p[1], "abcdefgh", 8) == 8);
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, s));
	CHECK(write(s[0], "one", 3) == 3 && write(s[0], "two", 3) == 3);
	CHILD("pipe read", ok = read(p[0], text, 3) == 3 && text[0] == 'a');
	CHILD("pipe write", ok = write(p[1], "ij", 2) == 2);
	n = read(p[0], text, sizeof(text));
	printf("pipe %d %.*s\n", n, n, text);
	CHILD("datagram", ok = recv(s[1], text, 100, 0) == 3 && text[0] == 'o');
	n = recv(s[1], text, sizeof(text), 0);
	printf("datagram %.*s, then %zd\n", n, text, recv(s[1], text, 9, 0));
	v = 5;
	CHILD("eventfd", ok = write(e, &v, 8) == 8);
	CHECK(read(e, &v, 8) == 8);
	printf("eventfd %d\n", (int)v);
	v = 3;
	CHECK(write(e, &v, 8) == 8);
	CHILD("eventfd read", ok = read(e, &v, 8) == 8 && v == 3);
	printf("eventfd again %zd\n", read(e, &v, 8));
	CHILD("shutdown", ok = shutdown(s[0], SHUT_WR) == 0);
	printf("send %zd\n", send(s[0], "x", 1, MSG_NOSIGNAL));
	for (int i = 0; i < 2; i++) {
		close(p[i]);
		close(s[i]);
	}
	close(e);
}

static void sets(void)
{
	struct itimerspec its = { { 0, 0 }, { 0, 1 } };
	int t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	int ep = epoll_create1(0), p[2], l, c, a;
	struct epoll_event ev = { .events = EPOLLOUT };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	uint64_t v;

	CHECK(!timerfd_settime(t, 0, &its, NULL));
	t_sleep_ms(20);
	CHILD("timerfd", ok = read(t, &v, 8) == 8 && v == 1);
	printf("timerfd again %zd\n", read(t, &v, 8));
	CHECK(!pipe(p));
	CHILD("epoll add", ok = epoll_ctl(ep, EPOLL_CTL_ADD, p[1], &ev) == 0);
	printf("epoll %d\n", epoll_wait(ep, &ev, 1, 0));
	CHILD("epoll del", ok = epoll_ctl(ep, EPOLL_CTL_DEL, p[1], &ev) == 0);
	printf("epoll %d\n", epoll_wait(ep, &ev, 1, 0));
	l = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	strcpy(un.sun_path, "socket");
	CHECK(!bind(l, (void *)&un, sizeof(un)) && !listen(l, 5));
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!connect(c, (void *)&un, sizeof(un)));
	CHILD("accept",
	      ok = (a = accept(l, NULL, NULL)) >= 0 && write(a, "hi", 2) == 2);
	printf("accept again %d\n", accept(l, NULL, NULL));
	close(t);
	close(ep);
	close(p[0]);
	close(p[1]);
	close(l);
	close(c);
}

int main(int argc, char **argv)
{
	how = argc > 1 ? argv[1] : "exec";
	t_start(64);
	offsets();
	queues();
	sets();
	return t_end();
}
