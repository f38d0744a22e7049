/*
 * The parent forks with signals blocked and pending, to the process and to
 * the thread: they stay pending and blocked in the parent, the child has
 * none of them, and asking for or setting any disposition lets none through.
 * Argument sys: SIGSYS, SIGSEGV, SIGBUS, SIGTRAP are among them.
 *
 * Test: -l
 * Test: pending-at-fork-sys sys
 */
#include "t.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const int ordinary[] = { SIGTERM, SIGUSR1, SIGURG, SIGALRM, SIGHUP };
static const int synchronous[] = { SIGSYS,  SIGSEGV, SIGBUS,
				   SIGTRAP, SIGILL,  SIGFPE };

static void say_pending(const char *when)
{
	sigset_t set, mask;

	sigpending(&set);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	printf("%s:", when);
	for (int s = 1; s <= 64; s++)
		if (sigismember(&set, s) == 1)
			printf(" %d%s", s,
			       sigismember(&mask, s) ? "" : " UNBLOCKED");
	printf("\n");
}

int main(int argc, char **argv)
{
	struct sigaction sa;
	sigset_t all;
	pid_t pid;

	(void)argv;
	t_start(64);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	t_signals_again();
	for (int i = 0; i < 3; i++) {
		pid = t_fork();
		if (pid == 0)
			t_exec_report("pending");
		t_reap(pid, "all blocked, none pending");
		/* its SIGCHLD */
		CHECK(sigtimedwait(&all, NULL, &(struct timespec){ 0 }) ==
		      SIGCHLD);
	}
	for (size_t i = 0; i < sizeof(ordinary) / sizeof(*ordinary); i++)
		if (i % 2)
			kill(getpid(), ordinary[i]);
		else
			raise(ordinary[i]);
	for (size_t i = 0; argc > 1 && i < 6; i++)
		if (i % 2)
			kill(getpid(), synchronous[i]);
		else
			raise(synchronous[i]);
	say_pending("before");
	for (int i = 0; i < 3; i++) {
		pid = t_fork();
		if (pid == 0) {
			CHECK(t_intact(t_area, 1 << 20));
			if (i == 2)
				_exit(3);
			t_exec_report("pending");
		}
		t_reap(pid, "child");
		say_pending("after");
	}
	for (int s = 1; s <= 64; s++)
		if (!sigaction(s, NULL, &sa) && s != SIGKILL && s != SIGSTOP)
			sigaction(s, &sa, NULL);
	/* minus those that are ignored by default: setting that drops them */
	say_pending("dispositions set again");
	t_signals_again();
	return t_end();
}
