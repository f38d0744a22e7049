/*
 * A child asks poll() for each descriptor that there might be, as D's library
 * does to know which to close: files, folders, pipes and what is in no folder
 * are among them; what is ours is not. Then exec.
 *
 * Test: -l -q "rolled back" -e FLATFORK_LEND=off
 */
#include "t.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
	MANY = 4000
};

/* The first of them. */
static int open_one_of_each(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	sigset_t none;
	int ep, ready;

	sigemptyset(&none);
	ready = eventfd(1, 0);
	ep = epoll_create1(0);
	CHECK(ready >= 0 && ep >= 0);
	CHECK(!epoll_ctl(ep, EPOLL_CTL_ADD, ready, &ev));
	CHECK(timerfd_create(CLOCK_MONOTONIC, 0) >= 0);
	CHECK(signalfd(-1, &none, 0) >= 0);
	CHECK(inotify_init() >= 0);
	CHECK(open("/bin/sh", O_RDONLY) >= 0);
	CHECK(open("/", O_RDONLY | O_DIRECTORY) >= 0);
	CHECK(open("/dev/null", O_RDWR) >= 0);
	CHECK(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	CHECK(dup2(ready, 900) == 900);
	return ready;
}

static void say(const char *when, struct pollfd *p, int ready)
{
	char text[4096];
	int i, at = snprintf(text, sizeof(text), "%s: %d;", when, ready);

	for (i = 0; i < MANY; i++)
		if (!(p[i].revents & POLLNVAL))
			at += snprintf(text + at, sizeof(text) - (size_t)at,
				       " %d:%x", p[i].fd,
				       (unsigned)p[i].revents);
	t_exec_say("%s", text);
}

static void ask(const char *when, short events)
{
	struct pollfd *p = calloc(MANY, sizeof(*p));
	struct timespec none = { 0 };
	int i, ready;

	CHECK(p);
	for (i = 0; i < MANY; i++)
		p[i] = (struct pollfd){ .fd = i + 3, .events = events };
	ready = poll(p, MANY, 0);
	CHECK(ppoll(p, MANY, &none, NULL) == ready);
	say(when, p, ready);
}

int main(void)
{
	struct rlimit limit;
	int first;

	t_start(32);
	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	if (limit.rlim_max < MANY)
		t_skip("too few descriptors may be asked for");
	limit.rlim_cur = MANY;
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	first = open_one_of_each();
	for (int i = 0; i < 4; i++) {
		pid_t pid = t_fork();

		if (pid == 0)
			ask("asked", 0);
		t_reap(pid, "child");
	}
	closefrom(first);
	return t_end();
}
