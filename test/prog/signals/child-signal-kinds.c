/*
 * How a parent learns of its children: SIGCHLD by handler counted with its
 * fields, SIG_IGN, SA_NOCLDWAIT, SIG_DFL; for children that exec, end, are
 * killed, and stop. Exactly one SIGCHLD each.
 *
 * Test: -l
 */
#include "t.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t count, exited, killed, stopped, continued;

static void on_child(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	count++;
	exited += info->si_code == CLD_EXITED;
	killed += info->si_code == CLD_KILLED;
	stopped += info->si_code == CLD_STOPPED;
	continued += info->si_code == CLD_CONTINUED;
}

static pid_t make(int kind)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		t_area[kind << 12] = 1;
		switch (kind % 4) {
		case 0:
			t_exec_exit(1);
		case 1:
			_exit(2);
		case 2:
			signal(SIGTERM, SIG_DFL);
			kill(getpid(), SIGTERM);
			_exit(3);
		default:
			execl("/nowhere", "x", (char *)NULL);
			_exit(127);
		}
	}
	return pid;
}

static void disposition(int flags, void (*handler)(int, siginfo_t *, void *),
			void (*plain)(int))
{
	struct sigaction sa = { .sa_flags = flags };

	if (handler)
		sa.sa_sigaction = handler;
	else
		sa.sa_handler = plain;
	sigaction(SIGCHLD, &sa, NULL);
}

static void counted(void)
{
	disposition(SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP, on_child, NULL);
	for (int i = 0; i < 12; i++)
		t_reap(make(i), "child");
	printf("SIGCHLD %d: exited %d killed %d\n", (int)count, (int)exited,
	       (int)killed);
}

static void discarded(const char *what)
{
	int left = 0, status;
	pid_t pid[8];

	for (int i = 0; i < 8; i++)
		pid[i] = make(i);
	/* wait returns when the last has ended, and finds none */
	while (waitpid(-1, &status, 0) > 0)
		left++;
	printf("%s: %d left, %s", what, left, errno == ECHILD ? "ECHILD" : "?");
	/* that is before the kernel has put it away */
	for (int i = 0; i < 8; i++) {
		for (int ms = 0; ms < 5000 && kill(pid[i], 0) == 0; ms++)
			usleep(1000);
		left += kill(pid[i], 0) == 0;
	}
	printf(", %d there\n", left);
}

static void stops(void)
{
	int status, go[2];
	pid_t pid;
	char c;

	CHECK(!pipe(go));
	count = stopped = continued = exited = 0;
	disposition(SA_SIGINFO | SA_RESTART, on_child, NULL);
	pid = t_fork();
	if (pid == 0) {
		raise(SIGSTOP);
		/* not before its parent saw it continue */
		CHECK(read(go[0], &c, 1) == 1);
		t_exec_exit(9);
	}
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	printf("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status));
	/* one for being continued could swallow the one for ending */
	disposition(SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP, on_child, NULL);
	CHECK(!kill(pid, SIGCONT));
	CHECK(waitpid(pid, &status, WCONTINUED) == pid);
	printf("continued %d\n", WIFCONTINUED(status));
	CHECK(write(go[1], "", 1) == 1);
	close(go[0]);
	close(go[1]);
	t_reap(pid, "child");
	printf("SIGCHLD for stopping %d, ending %d\n", (int)stopped,
	       (int)exited);
}

int main(void)
{
	t_start(64);
	counted();
	disposition(0, NULL, SIG_IGN);
	discarded("SIG_IGN");
	count = 0;
	disposition(SA_NOCLDWAIT | SA_SIGINFO | SA_RESTART, on_child, NULL);
	discarded("SA_NOCLDWAIT");
	disposition(0, NULL, SIG_DFL);
	for (int i = 0; i < 4; i++)
		t_reap(make(i), "by default");
	stops();
	disposition(0, NULL, SIG_DFL);
	t_signals_again();
	return t_end();
}
