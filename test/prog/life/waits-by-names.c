/*
 * A thread reaps whatever child there is, clone children among them, by one of
 * the names that can: none is found that fork never returned, and each other
 * one once. The children write, so that one on trial is taken back.
 *
 * Test: waits-by-names-{wait3,wait4,__waitpid,waitid,raw-wait4,raw-waitid} {}
 */
#include "t.h"

#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CHILDREN = 60
};

pid_t __waitpid(pid_t pid, int *status, int options);

static const char *name;
static volatile int done;
static int found, odd;
static pid_t got[CHILDREN + 1000];

static pid_t reap_one(void)
{
	siginfo_t info = { 0 };
	int options = __WALL | WNOHANG;

	if (!strcmp(name, "wait3"))
		return wait3(NULL, options, NULL);
	if (!strcmp(name, "wait4"))
		return wait4(-1, NULL, options, NULL);
	if (!strcmp(name, "__waitpid"))
		return __waitpid(-1, NULL, options);
	if (!strcmp(name, "waitid"))
		return waitid(P_ALL, 0, &info, WEXITED | options) ? -1 :
								    info.si_pid;
	if (!strcmp(name, "raw-wait4"))
		return (pid_t)syscall(SYS_wait4, -1, NULL, options, NULL);
	CHECK(!strcmp(name, "raw-waitid"));
	return syscall(SYS_waitid, P_ALL, 0, &info, WEXITED | options, NULL) ?
		       -1 :
		       info.si_pid;
}

static void *reaper(void *arg)
{
	pid_t pid;
	int last;

	do {
		last = done;
		pid = reap_one();
		if (pid > 0 && found < CHILDREN + 1000)
			got[found++] = pid;
	} while (pid >= 0 || !last);
	return arg;
}

int main(int argc, char **argv)
{
	pid_t made[CHILDREN];
	pthread_t t;

	CHECK(argc > 1);
	name = argv[1];
	t_start(32);
	pthread_create(&t, NULL, reaper, NULL);
	for (int i = 0; i < CHILDREN; i++) {
		made[i] = fork();
		CHECK(made[i] >= 0);
		if (made[i] == 0) {
			CHECK(write(STDOUT_FILENO, "", 0) == 0);
			_exit(0);
		}
		usleep(500);
	}
	done = 1;
	pthread_join(t, NULL);
	for (int i = 0; i < found; i++) {
		int known = 0;

		for (int j = 0; j < CHILDREN; j++)
			known |= made[j] == got[i];
		odd += !known;
	}
	printf("found %d, %d of them never returned\n", found, odd);
	return t_end();
}
