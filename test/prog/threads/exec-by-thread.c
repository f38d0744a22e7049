/*
 * Another thread replaces the program in the middle of a fork, or ends the
 * process by _exit() or quick_exit(). Whatever children the next program finds, of any class,
 * or who takes its orphans, are whole: each has exec'ed. Argument: by which
 * call.
 *
 * Test: -b 5000 exec-by-thread-{name,raw,fails-before,exits,quick-exits} {}
 */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	ROUNDS = 6
};

static volatile int forks;

static void *fork_on(void *unused)
{
	for (;;) {
		pid_t pid = t_fork();

		if (pid == 0) {
			for (volatile int i = 0; i < 8000000; i++)
				;
			t_exec_exit(t_intact(t_area, t_area_bytes) ? 7 : 8);
		}
		forks++;
		waitpid(pid, NULL, 0);
	}
	return unused;
}

/* What is left of the program before. */
static int look(const char *from)
{
	int odd = 0, status;
	pid_t pid;

	do {
		pid = waitpid(-1, &status, __WALL);
		if (pid > 0 && status != 7 << 8)
			odd++;
	} while (pid > 0);
	CHECK(errno == ECHILD);
	printf("%s: %d odd\n", from, odd);
	return 0;
}

static int round_of(const char *self, const char *how, int round)
{
	char *const argv[] = { (char *)self, (char *)"look", (char *)how,
			       NULL };
	pthread_t t;

	t_start(64);
	CHECK(!pthread_create(&t, NULL, fork_on, NULL));
	while (forks < 2)
		t_sleep_ms(1);
	t_sleep_ms(round * 5);
	if (!strcmp(how, "fails-before"))
		CHECK(execv("/nowhere/at/all", argv) < 0);
	if (!strcmp(how, "exits"))
		_exit(0);
	if (!strcmp(how, "quick-exits"))
		quick_exit(0);
	if (!strcmp(how, "raw"))
		syscall(SYS_execve, self, argv, environ);
	else
		execv(self, argv);
	return 1;
}

int main(int argc, char **argv)
{
	char self[4096];
	ssize_t n;

	CHECK(argc > 1);
	if (argc > 2)
		return look(argv[2]);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	CHECK(n > 0);
	self[n] = 0;
	CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int round = 0; round < ROUNDS; round++) {
		pid_t pid = t_fork();

		if (pid == 0)
			return round_of(self, argv[1], round);
		t_reap(pid, "round");
		if (strstr(argv[1], "exits"))
			look("orphans");
	}
	return 0;
}
