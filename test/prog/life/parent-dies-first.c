/*
 * PDEATHSIG asked for by the child before exec is sent when the thread that
 * forked ends, as ever; an orphan goes on after its parent ended or was
 * killed right after fork, execs, and is adopted by us, a subreaper.
 *
 * Test: -l
 * Test: -l -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-mem served-parent-dies-first
 */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t made;

static void *forks_and_ends(void *arg)
{
	pid_t pid = t_fork();

	(void)arg;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGUSR1);
		t_exec_report("pause");
	}
	/* not before the program has set it, or it would wait for ever */
	t_sleep_ms(300);
	made = pid;
	return NULL;
}

static void adopted(const char *what)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);

	CHECK(pid > 0);
	printf("%s: status %x\n", what, status);
}

int main(void)
{
	pthread_t thread;
	pid_t pid;

	t_start(64);
	CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	CHECK(!pthread_create(&thread, NULL, forks_and_ends, NULL));
	pthread_join(thread, NULL);
	t_reap(made, "told of its thread's end");

	for (int how = 0; how < 4; how++) {
		pid = t_fork();
		if (pid == 0) {
			pid_t us = getpid(), inner = t_fork();

			if (inner == 0) {
				/* until the parent is gone */
				if (how & 1)
					while (getppid() == us)
						usleep(1000);
				CHECK(t_intact(t_area, 8 << 20));
				t_exec_exit(6);
			}
			if (how & 2)
				kill(getpid(), SIGKILL);
			_exit(5);
		}
		t_reap(pid, "parent");
		adopted("orphan");
	}
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	return t_end();
}
