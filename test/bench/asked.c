#include "asked.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FDS 67 /* pipes of other workers are below */

_Noreturn void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		strerror(errno));
	exit(1);
}

int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

const char *asked_self(void)
{
	static char path[PATH_MAX];

	if (!*path && readlink("/proc/self/exe", path, sizeof(path) - 1) < 0)
		die("/proc/self/exe");
	return path;
}

static void read_answer(const struct asked *w, void *ret_answer, size_t bytes)
{
	if (read(w->from, ret_answer, bytes) != (ssize_t)bytes)
		die(w->name);
}

void asked_start(struct asked *w, const char *name,
		 void (*become)(const void *arg), const void *arg, size_t bytes)
{
	char ready[bytes];
	int to[2], from[2];

	if (pipe(to) || pipe(from))
		die("pipe");
	w->name = name;
	w->pid = fork();
	if (w->pid < 0)
		die("fork");
	if (w->pid == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		for (int fd = 3; fd < FDS; fd++)
			close(fd);
		become(arg);
		_exit(1);
	}
	close(to[0]);
	close(from[1]);
	w->to = to[1];
	w->from = from[0];
	read_answer(w, ready, bytes);
}

void asked_ask(const struct asked *w, void *ret_answer, size_t bytes)
{
	if (write(w->to, "x", 1) != 1)
		die(w->name);
	read_answer(w, ret_answer, bytes);
}

void asked_end(const struct asked *w)
{
	close(w->to);
	close(w->from);
	waitpid(w->pid, NULL, 0);
}

bool asked_again(const void *answer, size_t bytes)
{
	char c;

	if (write(1, answer, bytes) != (ssize_t)bytes)
		_exit(1);
	return read(0, &c, 1) == 1;
}
