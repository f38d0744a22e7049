/*
 * Forks in forks: each level has memory of its own, waits for its child and
 * passes the status up; the innermost execs or ends. Also a child that
 * starts several children of its own by different calls before it execs.
 *
 * Test: -l -f
 */
#include "t.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static int level_is;

static int level(int depth, int execs)
{
	pid_t pid;
	int status;

	level_is = depth;
	memset(t_area + (depth << 20), depth, 1 << 20);
	pid = t_fork();
	if (pid == 0) {
		if (depth < 4)
			_exit(level(depth + 1, execs));
		if (execs)
			t_exec_exit(40);
		_exit(40);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 90;
	if (level_is != depth || t_area[(depth << 20) + 77] != depth)
		return 91;
	if (!t_intact(t_area + ((depth + 1) << 20), 1 << 20))
		return 92;
	if (waitpid(-1, &status, 0) != -1 || errno != ECHILD)
		return 93;
	return WEXITSTATUS(status) + 1;
}

static int many(void)
{
	char *args[] = { "report", "exit", "2", NULL };
	char line[16] = "";
	volatile int sum = 0;
	int status;
	FILE *f;
	pid_t pid;

	sum += system("exit 3") >> 8;
	f = popen("echo 4", "r");
	if (fgets(line, sizeof(line), f))
		sum += 100 * atoi(line);
	pclose(f);
	if (!posix_spawn(&pid, t_report, NULL, NULL, args, environ) &&
	    waitpid(pid, &status, 0) == pid)
		sum += 1000 * WEXITSTATUS(status);
	pid = vfork();
	if (pid == 0) {
		execv(t_report, args);
		_exit(9);
	}
	if (waitpid(pid, &status, 0) == pid)
		sum += 10000 * WEXITSTATUS(status);
	pid = fork();
	if (pid == 0)
		_exit(5);
	if (waitpid(pid, &status, 0) == pid)
		sum += 100000 * WEXITSTATUS(status);
	return sum;
}

int main(void)
{
	pid_t pid;

	t_start(64);
	for (int execs = 0; execs < 2; execs++) {
		int result = level(0, execs);

		printf("five levels: %d\n", result);
		t_fill(t_area, 1 << 20);
	}
	pid = t_fork();
	if (pid == 0)
		t_exec_say("children of the child: %d", many());
	t_reap(pid, "child with children");
	pid = t_fork();
	if (pid == 0) {
		/* a child is left to the program that is exec'ed */
		if (fork() == 0)
			_exit(0);
		t_exec_exit(8);
	}
	t_reap(pid, "leaves a zombie");
	/* siblings at once */
	pid_t pids[6];
	for (int i = 0; i < 6; i++) {
		pids[i] = t_fork();
		if (pids[i] == 0) {
			if (i % 2)
				_exit(i);
			t_exec_exit(i);
		}
	}
	for (int i = 5; i >= 0; i--)
		t_reap(pids[i], "sibling");
	return t_end();
}
