/*
 * A double-forking daemon and libc's daemon(): the middle child ends, the
 * daemon is adopted (by us, a subreaper), has a session of its own, no
 * terminal, its descriptors on /dev/null, and execs or just writes a file.
 *
 * Test:
 */
#include "t.h"

#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_file(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (fd < 0 || write(fd, "once\n", 5) != 5)
		_exit(77);
	close(fd);
}

static long size(const char *name)
{
	struct stat st;

	return stat(name, &st) ? -1 : (long)st.st_size;
}

/* The adopted one: its pid is not known from any fork. */
static void reap_adopted(const char *what)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);

	CHECK(pid > 0);
	printf("%s: status %x\n", what, status);
}

static void daemon_that_execs(void)
{
	int p[2];
	char got[4096];
	pid_t us = getpid();
	ssize_t n, all = 0;
	pid_t pid;

	CHECK(!pipe(p));
	pid = t_fork();
	if (pid == 0) {
		setsid();
		if (fork() != 0)
			_exit(0);
		while (getppid() != us)
			; /* or it is told whose child it is by chance */
		umask(0);
		CHECK(!chdir("/"));
		close(p[0]);
		dup2(open("/dev/null", O_RDWR), 0);
		dup2(p[1], 1);
		t_exec_report("state");
	}
	t_reap(pid, "middle");
	close(p[1]);
	while ((n = read(p[0], got + all, sizeof(got) - 1 - all)) > 0)
		all += n;
	got[all] = 0;
	fputs(got, stdout);
	close(p[0]);
	reap_adopted("daemon that execs");
}

int main(void)
{
	pid_t pid;

	t_start(64);
	CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1));

	pid = t_fork();
	if (pid == 0) {
		setsid();
		if (fork() != 0)
			_exit(0);
		write_file("plain");
		_exit(5);
	}
	t_reap(pid, "middle");
	reap_adopted("daemon that writes");
	printf("file %ld\n", size("plain"));

	daemon_that_execs();

	pid = t_fork();
	if (pid == 0) {
		if (daemon(1, 0))
			_exit(1);
		write_file("libc");
		_exit(getsid(0) == getpgrp() ? 6 : 7);
	}
	t_reap(pid, "daemon()'s parent");
	reap_adopted("daemon()");
	printf("file %ld\n", size("libc"));

	pid = t_fork();
	if (pid == 0) {
		if (daemon(0, 1))
			_exit(1);
		t_exec_exit(9);
	}
	t_reap(pid, "daemon()'s parent");
	reap_adopted("daemon(), exec");
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	return t_end();
}
