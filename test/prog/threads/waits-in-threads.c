/*
 * While one thread forks, others wait: by waitpid(-1), waitid(P_ALL,
 * WNOWAIT), waitpid(-1, __WCLONE | WNOHANG), waitpid(-1, __WALL | WNOHANG)
 * and on a group. Each child is found exactly once by those who reap, the
 * clone-only wait never finds one, and none is found that fork never
 * returned. With an argument nobody waits for clone children, as few
 * programs do. Then pidfds: poll and waitid(P_PIDFD) tell the end of the child.
 *
 * Test:
 * Test: -l waits-in-threads-ordinary ordinary
 */
#include "t.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CHILDREN = 60,
	MAX_PID = 4 << 20
};

static volatile int done;
static unsigned char *made, *reaped; /* by pid */
static int sum, as_clone, strange;

static void note(pid_t pid, int status)
{
	__atomic_add_fetch(&reaped[pid], 1, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&sum, WEXITSTATUS(status), __ATOMIC_SEQ_CST);
	if (!WIFEXITED(status))
		__atomic_add_fetch(&strange, 1, __ATOMIC_SEQ_CST);
}

static void *reaper(void *arg)
{
	int options = arg ? __WALL | WNOHANG : 0;

	for (;;) {
		int status;
		pid_t pid = waitpid(arg ? -1 : 0, &status, options);

		if (pid > 0)
			note(pid, status);
		else if (pid < 0 && done)
			return NULL;
		else
			usleep(200);
	}
}

static void *clone_waiter(void *arg)
{
	int status;

	(void)arg;
	while (!done) {
		siginfo_t info;

		if (waitpid(-1, &status, __WCLONE | WNOHANG) > 0)
			as_clone++;
		waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG);
		usleep(50);
	}
	return NULL;
}

static void with_threads(int clones)
{
	pthread_t t[4];
	int bad = 0;

	pthread_create(&t[0], NULL, reaper, NULL);
	if (clones) {
		pthread_create(&t[1], NULL, reaper, "all");
		pthread_create(&t[2], NULL, clone_waiter, NULL);
	}
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			t_area[i << 12]++;
			if (i % 3 == 0)
				_exit(1);
			t_exec_exit(2);
		}
		made[pid]++;
	}
	done = 1;
	for (int i = 0; i < (clones ? 3 : 1); i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < MAX_PID; i++)
		bad += made[i] != reaped[i];
	printf("statuses sum %d, wrong %d, as clone %d, strange %d\n", sum, bad,
	       as_clone, strange);
}

static void with_pidfds(void)
{
	for (int i = 0; i < 4; i++) {
		int p[2];
		pid_t pid;
		int fd;
		struct pollfd pf;
		siginfo_t info = { 0 };

		CHECK(!pipe(p));
		pid = t_fork();
		if (pid == 0) {
			if (i % 2) {
				char c;

				_exit(read(p[0], &c, 1) == 1 ? 5 : 6);
			}
			dup2(p[0], 0);
			t_exec_report("stdin");
		}
		fd = syscall(SYS_pidfd_open, pid, 0);
		CHECK(fd >= 0);
		pf = (struct pollfd){ .fd = fd, .events = POLLIN };
		printf("before: %d ", poll(&pf, 1, 0));
		CHECK(write(p[1], "x", 1) == 1);
		CHECK(poll(&pf, 1, 20000) == 1);
		CHECK(!waitid(P_PIDFD, fd, &info, WEXITED));
		printf("code %d status %d %s\n", info.si_code, info.si_status,
		       info.si_pid == pid ? "same" : "OTHER");
		close(fd);
		close(p[0]);
		close(p[1]);
	}
}

int main(int argc, char **argv)
{
	(void)argv;
	made = calloc(MAX_PID, 1);
	reaped = calloc(MAX_PID, 1);
	t_start(64);
	with_threads(argc == 1);
	with_pidfds();
	return t_end();
}
