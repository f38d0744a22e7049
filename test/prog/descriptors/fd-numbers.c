/*
 * Descriptors in the child are what they are after a plain fork: the next
 * free number, any number for dup2 (also where flatfork might keep its own),
 * EBADF elsewhere, the list in /proc/self/fd, close and close_range and
 * closefrom of everything, 1023, and the new program's table. Each execs.
 *
 * Test: -l -f
 * Test: -l -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-mem served-fd-numbers
 */
#include "t.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int limit;

/* open() and dup() give 3, 4, 5... and F_DUPFD the first from there. */
static void next_numbers(void)
{
	int a = open("/dev/null", O_RDONLY), b = dup(0), p[2];
	int c = fcntl(0, F_DUPFD_CLOEXEC, 100);
	int d = fcntl(0, F_DUPFD, limit - 3);
	int e = fcntl(0, F_DUPFD, limit - 1);

	CHECK(!pipe(p));
	t_exec_say("next %d %d %d %d, %d, %d %d", a, b, p[0], p[1], c,
		   d - limit, e - limit);
}

static void onto_any(void)
{
	int bad = 0, closed = 0;

	for (int fd = 3; fd < limit; fd++)
		bad += dup2(0, fd) != fd;
	bad += open("/dev/null", O_RDONLY) != -1 || errno != EMFILE;
	for (int fd = 3; fd < limit; fd++)
		bad += fcntl(fd, F_GETFD) != 0;
	for (int fd = 3; fd < limit; fd++)
		closed += close(fd) == 0;
	t_exec_say("dup2 onto all: %d bad, %d closed", bad, closed - limit);
}

static void fill_table(void)
{
	int n = 0, last = -1, fd;

	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
		n += fd == last + 1 || last < 0;
		last = fd;
	}
	t_exec_say("filled %d, last %d, errno %d", n - limit, last - limit,
		   errno);
}

static void close_all(void)
{
	int closed = 0, ebadf = 0;

	for (int fd = 3; fd < limit; fd++)
		if (close(fd) == 0)
			closed++;
		else
			ebadf += errno == EBADF;
	t_exec_say("close: %d closed, %d EBADF", closed,
		   ebadf + closed - limit);
}

static void list(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *d;
	char text[4096] = "listed";

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.') {
			strcat(text, " ");
			strcat(text, d->d_name);
		}
	t_exec_say("%s", text);
}

static void list_and_close(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *d;
	int n = 0, bad = 0;

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.' && atoi(d->d_name) > 2 &&
		    atoi(d->d_name) != dirfd(dir)) {
			n++;
			bad += close(atoi(d->d_name)) != 0;
		}
	closedir(dir);
	CHECK(t_intact(t_area, 4 << 20));
	t_exec_say("list and close: %d, %d bad", n, bad);
}

static void ranges(void)
{
	int a = close_range(5, 20, 0), b, c;

	b = fcntl(60, F_GETFD);
	a += 10 * close_range(30, ~0u, CLOSE_RANGE_CLOEXEC);
	c = fcntl(60, F_GETFD);
	CHECK(t_intact(t_area, 4 << 20));
	t_exec_say("close_range %d %d %d", a, b, c);
}

static void from(void)
{
	closefrom(3);
	CHECK(t_intact(t_area, 4 << 20));
	t_exec_report("fds");
}

static void standard_too(void)
{
	close(0);
	close(1);
	close(2);
	CHECK(t_intact(t_area, 4 << 20));
	CHECK(open("/dev/null", O_RDWR) == 0);
	CHECK(open("out", O_WRONLY | O_CREAT | O_APPEND, 0600) == 1);
	t_exec_report("fds");
}

static void all_closed_exit(void)
{
	close_range(0, ~0u, 0);
	t_exec_exit(t_intact(t_area, 4 << 20) ? 13 : 14);
}

static void as_is(void)
{
	t_exec_report("fds");
}

int main(void)
{
	static void (*const acts[])(void) = {
		as_is,	   next_numbers, onto_any,	  fill_table,
		close_all, list,	 ranges,	  list_and_close,
		from,	   standard_too, all_closed_exit,
	};
	struct rlimit rl;
	char text[65536];
	size_t n;
	FILE *f;

	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = limit = 1024;
	CHECK(!setrlimit(RLIMIT_NOFILE, &rl));
	CHECK(dup2(0, 1023) == 1023 && dup2(0, 60) == 60);
	CHECK(fcntl(0, F_DUPFD_CLOEXEC, 500) == 500);
	t_start(64);
	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		pid_t pid = t_fork();

		if (pid == 0)
			acts[i]();
		t_reap(pid, "child");
	}
	f = fopen("out", "r");
	CHECK(f);
	n = fread(text, 1, sizeof(text), f);
	printf("out:\n%.*s", (int)n, text);
	fclose(f);
	return t_end();
}
