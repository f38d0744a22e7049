/*
 * A process in borrowed memory that forks, and waits for children of any kind,
 * has its own and none of its parent's, whose forks stay what they were: lazy.
 * It comes before anything else that the library might learn from.
 *
 * Test: -l -e FLATFORK_LEND=off
 */
#include "t.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char stack[64 << 10] __attribute__((aligned(16)));

static int waits(void *unused)
{
	int status;
	pid_t pid = fork();

	(void)unused;
	if (pid == 0)
		_exit(5);
	if (waitpid(pid, &status, 0) != pid || status != 5 << 8)
		_exit(2);
	if (waitpid(-1, NULL, __WALL | WNOHANG) != -1 || errno != ECHILD)
		_exit(1);
	execl(t_report, "report", "exit", "7", (char *)NULL);
	_exit(90);
}

int main(void)
{
	pid_t pid;

	t_start(32);
	pid = clone(waits, stack + sizeof(stack),
		    CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	t_reap(pid, "in borrowed memory");
	for (int i = 0; i < 3; i++) {
		pid = t_fork();
		if (pid == 0)
			t_exec_exit(8);
		t_reap(pid, "child");
	}
	return t_end();
}
