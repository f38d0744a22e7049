/*
 * A child that has written something computes for longer than its parent may
 * wait. It is stopped, and gets a signal that it handles, so that it will be
 * asked to look at its signals; and a SIGSYS from somebody else, of which it
 * ends: that is not taken for what asks it. Argument: how it is sent.
 *
 * Test: -l -b 1500 -k hydrations -e FLATFORK_LEND=off
 *       asked-child-{kill,sigqueue} {}
 */
#include "t.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PROOFS = 2, /* children by which the site becomes known */
	TRIED_MS = 500, /* by then it has been asked, as a rule */
	LIVES_MS = 1500 /* it has not died by then */
};

static volatile int *go;
static int told[2];

static void on_signal(int sig)
{
	(void)sig;
}

static void child_runs(bool last)
{
	CHECK(write(told[1], "c", 1) == 1);
	while (last && !*go)
		;
	t_exec_exit(t_intact(t_area, t_area_bytes) ? 7 : 8);
}

static void send(pid_t pid, const char *how)
{
	if (!strcmp(how, "kill"))
		CHECK(!kill(pid, SIGSYS));
	else
		CHECK(!sigqueue(pid, SIGSYS, (union sigval){ .sival_int = 1 }));
}

static void disturb(pid_t pid, const char *how)
{
	int status;

	CHECK(!kill(pid, SIGSTOP));
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	CHECK(!kill(pid, SIGUSR1));
	t_sleep_ms(TRIED_MS);
	send(pid, how);
	CHECK(!kill(pid, SIGCONT));
	for (int i = 0; i < LIVES_MS / 10; i++) {
		siginfo_t info = { 0 };

		CHECK(!waitid(P_PID, (id_t)pid, &info,
			      WEXITED | WNOHANG | WNOWAIT));
		if (info.si_pid)
			break;
		t_sleep_ms(10);
	}
	*go = 1;
}

int main(int argc, char **argv)
{
	pid_t pid;
	char c;

	CHECK(argc > 1);
	CHECK(!pipe2(told, O_CLOEXEC));
	go = t_shared(4096);
	CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
	t_start(48);
	for (int i = 0; i <= PROOFS; i++) {
		pid = t_fork();
		if (pid == 0)
			child_runs(i == PROOFS);
		CHECK(read(told[0], &c, 1) == 1);
		if (i == PROOFS)
			disturb(pid, argv[1]);
		t_reap(pid, "child");
	}
	return t_end();
}
