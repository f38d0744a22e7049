/*
 * What a parent is told of a child of vfork: stops, which do not hold it, and
 * the SIGCHLDs of fork.
 *
 * Test: -w vfork-wrong-status-CASE CASE
 */
#include "vfork-helper.h"

#include <errno.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

static volatile int chld, strange; /* SIGCHLDs, those with odd contents */

static void on_chld(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	chld++;
	strange += info->si_code != CLD_EXITED || info->si_status != 3;
}

/* ---- stops ---- */

static void see_stop(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	printf("stopped %d by %d\n", WIFSTOPPED(status),
	       WIFSTOPPED(status) ? WSTOPSIG(status) : 0);
}

static void continues(pid_t pid)
{
	int status;

	CHECK(!kill(pid, SIGCONT));
	CHECK(waitpid(pid, &status, WCONTINUED) == pid);
	if (WIFCONTINUED(status))
		t_reap(pid, "child");
	else /* both at once: the end is what is left to see */
		printf("child: exit %d\n", WEXITSTATUS(status));
}

static void stop_case(int sig, bool exec)
{
	volatile long local = 7;
	pid_t pid = start();

	if (pid == 0) {
		local = 8;
		raise(sig);
		if (exec)
			execl(t_report, "report", "exit", "3", (char *)NULL);
		_exit(3);
	}
	printf("parent goes on: local %ld\n", local);
	see_stop(pid);
	continues(pid);
}

CASE(sigstop)
{
	stop_case(SIGSTOP, false);
}

CASE(sigstop_exec)
{
	stop_case(SIGSTOP, true);
}

/* An orphaned group is not stopped by these: a group of its own, with its
 * parent in the session, is none. */
CASE(sigtstp)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		CHECK(setsid() > 0);
		pid = start();
		if (pid == 0) {
			setpgid(0, 0);
			raise(SIGTSTP);
			_exit(3);
		}
		see_stop(pid);
		continues(pid);
		exit(5);
	}
	t_reap(pid, "session");
}

static void stops(pid_t child)
{
	CHECK(!kill(child, SIGSTOP));
}

/* By somebody else, while it is blocked. */
CASE(stopped_in_read)
{
	pid_t other, pid;

	CHECK(!pipe(block));
	other = helper(stops);
	pid = start();
	if (pid == 0) {
		char c;

		close(block[1]);
		child_tells();
		_exit(read(block[0], &c, 1) == 1 ? 3 : 4);
	}
	printf("parent goes on\n");
	see_stop(pid);
	CHECK(write(block[1], "x", 1) == 1);
	continues(pid);
	t_reap(other, "helper");
	close(told[1]);
	close(block[0]);
	close(block[1]);
}

static int tty;

static void run_terminal_in_session(void)
{
	pid_t pid = start();
	int status;

	if (pid == 0) {
		setpgid(0, 0);
		tcsetpgrp(tty, getpgrp());
		_exit(tcgetpgrp(tty) == getpgrp() ? 3 : 4);
	}
	see_stop(pid);
	CHECK(!tcsetpgrp(tty, pid));
	continues(pid);
	signal(SIGTTOU, SIG_IGN);
	CHECK(!tcsetpgrp(tty, getpgrp()));
	signal(SIGTTOU, SIG_DFL);
	pid = start();
	if (pid == 0) {
		char c;

		setpgid(0, 0);
		(void)!read(tty, &c, 1);
		_exit(4);
	}
	see_stop(pid);
	CHECK(!kill(-pid, SIGKILL));
	CHECK(waitpid(pid, &status, 0) == pid);
	printf("killed by %d\n", WTERMSIG(status));
}

/* A shell's child in the background: SIGTTOU for tcsetpgrp, SIGTTIN for
 * read. */
CASE(terminal)
{
	int master;
	pid_t pid;

	CHECK(!openpty(&master, &tty, NULL, NULL, NULL));
	pid = t_fork();
	if (pid == 0) {
		CHECK(setsid() > 0 && !ioctl(tty, TIOCSCTTY, 0));
		run_terminal_in_session();
		exit(6);
	}
	t_reap(pid, "session");
	close(master);
	close(tty);
}

/* ---- SIGCHLD ---- */

static FRAME pid_t returning(void)
{
	return start();
}

CASE(sigchld)
{
	struct sigaction sa = { .sa_sigaction = on_chld,
				.sa_flags = SA_SIGINFO | SA_RESTART };

	CHECK(!sigaction(SIGCHLD, &sa, NULL));
	t_signals_again();
	for (int i = 0; i < 20; i++) {
		pid_t pid = returning();

		if (pid == 0)
			exit(3);
		t_until(&chld, i + 1);
		CHECK(waitpid(pid, NULL, 0) == pid);
	}
	t_sleep_ms(50);
	printf("%d SIGCHLD, %d strange\n", chld, strange);
}

CASE(sigchld_ignored)
{
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	t_signals_again();
	pid = returning();
	if (pid == 0)
		exit(3);
	CHECK(waitpid(pid, NULL, 0) == -1);
	printf("no child to wait for: %d\n", errno == ECHILD);
}

/* Each is found once by whoever waits for any, and none besides. */
CASE(wait_any)
{
	int found = 0, known = 0;

	for (int i = 0; i < 20; i++) {
		int status;
		pid_t pid = returning(), got;

		if (pid == 0)
			exit(i);
		while ((got = waitpid(-1, &status, 0)) > 0) {
			found++;
			known += got == pid && WEXITSTATUS(status) == i;
		}
	}
	printf("found %d, known %d\n", found, known);
}

CASES_MAIN
