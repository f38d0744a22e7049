/*
 * A process that was made by fork and did not exec, as workers of servers are,
 * forks as any other: each of its children that execs stays lazy. Argument: how
 * many.
 *
 * Test: -l
 */
#include "t.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int work(int forks)
{
	int bad = 0;

	for (int i = 0; i < forks; i++) {
		int status;
		pid_t pid = t_fork();

		if (pid == 0)
			t_exec_exit(7);
		CHECK(waitpid(pid, &status, 0) == pid);
		bad += status != 7 << 8;
	}
	return bad;
}

int main(int argc, char **argv)
{
	int forks = argc > 1 ? atoi(argv[1]) : 5;
	pid_t worker;

	t_start(16);
	for (int i = 0; i < 3; i++) {
		worker = t_fork();
		if (worker == 0)
			exit(work(forks));
		t_reap(worker, "worker");
	}
	return t_end();
}
