/*
 * On a pty of our own: a background child that calls tcsetpgrp (and is
 * stopped by SIGTTOU until its parent continues it), one that ignores
 * SIGTTOU and takes the terminal as shells do, one that reads from the
 * background (SIGTTIN); forkpty with a child that execs, writes and reads.
 *
 * Test:
 */
#include "t.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int tty;

static void see_stop(pid_t pid, const char *what)
{
	int status;

	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	printf("%s: stopped %d by %d\n", what, WIFSTOPPED(status),
	       WIFSTOPPED(status) ? WSTOPSIG(status) : 0);
}

/* In a session that has the terminal; prints through the real stdout. */
static int leader(void)
{
	int status;
	pid_t pid = t_fork();

	if (pid == 0) {
		setpgid(0, 0);
		tcsetpgrp(tty, getpgrp());
		t_exec_exit(tcgetpgrp(tty) == getpgrp() ? 3 : 4);
	}
	setpgid(pid, pid);
	see_stop(pid, "tcsetpgrp in the background");
	CHECK(!tcsetpgrp(tty, pid));
	CHECK(!kill(-pid, SIGCONT));
	t_reap(pid, "made foreground");
	signal(SIGTTOU, SIG_IGN);
	CHECK(!tcsetpgrp(tty, getpgrp()));
	signal(SIGTTOU, SIG_DFL);

	pid = t_fork();
	if (pid == 0) {
		setpgid(0, 0);
		signal(SIGTTOU, SIG_IGN);
		tcsetpgrp(tty, getpgrp());
		signal(SIGTTOU, SIG_DFL);
		t_exec_exit(tcgetpgrp(tty) == getpgrp() ? 5 : 6);
	}
	t_reap(pid, "takes the terminal");
	signal(SIGTTOU, SIG_IGN);
	CHECK(!tcsetpgrp(tty, getpgrp()));
	signal(SIGTTOU, SIG_DFL);

	pid = t_fork();
	if (pid == 0) {
		char c = 0;

		setpgid(0, 0);
		(void)!read(tty, &c, 1);
		t_exec_exit(c);
	}
	setpgid(pid, pid);
	see_stop(pid, "reads in the background");
	kill(-pid, SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid);
	printf("killed %d\n", WTERMSIG(status));
	return 0;
}

static void drain(int fd)
{
	char got[8192];
	size_t all = 0;

	got[0] = 0;
	/* until the last one who has the terminal is gone: EIO */
	for (;;) {
		ssize_t n = read(fd, got + all, sizeof(got) - 1 - all);

		if (n <= 0)
			break;
		all += n;
		got[all] = 0;
	}
	for (char *c = got; *c; c++)
		if (*c != '\r')
			putchar(*c);
}

int main(void)
{
	int master, slave;
	pid_t pid;

	t_start(64);
	CHECK(!openpty(&master, &slave, NULL, NULL, NULL));
	pid = t_fork();
	if (pid == 0) {
		setsid();
		tty = slave;
		CHECK(!ioctl(tty, TIOCSCTTY, 0));
		fflush(stdout);
		_exit(leader());
	}
	t_reap(pid, "session");
	close(slave);
	close(master);

	pid = forkpty(&master, NULL, NULL, NULL);
	CHECK(pid >= 0);
	if (pid == 0)
		t_exec_say("on a terminal: %d%d%d", isatty(0), isatty(1),
			   tcgetpgrp(0) == getpid());
	drain(master);
	t_reap(pid, "forkpty");
	close(master);

	pid = forkpty(&master, NULL, NULL, NULL);
	CHECK(pid >= 0);
	if (pid == 0)
		t_exec_report("stdin");
	CHECK(write(master, "typed\n", 6) == 6);
	drain(master);
	t_reap(pid, "forkpty, read");
	close(master);

	pid = forkpty(&master, NULL, NULL, NULL);
	CHECK(pid >= 0);
	if (pid == 0) {
		printf("no exec\n");
		exit(7);
	}
	drain(master);
	t_reap(pid, "forkpty, exit");
	close(master);
	return t_end();
}
