/*
 * Threads that spawn at the same time, each with its own mask, actions and
 * way of failing, on stacks of 16 KiB; one thread keeps opening and closing
 * descriptors, another becomes another user and back. Each child says what
 * it was told to. Argument: rounds.
 *
 * Test:
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	THREADS = 8,
	SMALL = 16 << 10,
};

static int rounds = 30;
static volatile bool stop;
static int wrong;

static void spawn_one(int me, int round)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	char code[8], *argv[] = { "report", "exit", code, NULL };
	bool fails = round % 10 == me;
	int status, rc;
	pid_t pid = -1;

	snprintf(code, sizeof(code), "%d", me * 10 + round % 10);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&at);
	posix_spawn_file_actions_addopen(&fa, 20 + me, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&fa, 20 + me, 100 + me);
	posix_spawn_file_actions_addclosefrom_np(&fa, 30);
	if (fails)
		posix_spawn_file_actions_adddup2(&fa, 200, 1);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK |
					      POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(&pid, t_report, &fa, &at, argv, environ);
	if (fails ? rc != EBADF : rc != 0)
		__atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
	if (!rc && (waitpid(pid, &status, 0) != pid ||
		    status != (me * 10 + round % 10) << 8))
		__atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&at);
}

static void *spawner(void *arg)
{
	int me = (int)(intptr_t)arg;
	sigset_t mine, now;

	sigemptyset(&mine);
	sigaddset(&mine, SIGRTMIN + me);
	pthread_sigmask(SIG_SETMASK, &mine, NULL);
	for (int i = 0; i < rounds; i++) {
		spawn_one(me, i);
		pthread_sigmask(SIG_SETMASK, NULL, &now);
		CHECK(!memcmp(&now, &mine, 8));
	}
	return NULL;
}

static void *churn(void *arg)
{
	(void)arg;
	while (!stop) {
		int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		CHECK(fd >= 0);
		close(fd);
		usleep(200);
	}
	return NULL;
}

static void *change_ids(void *arg)
{
	(void)arg;
	while (!stop && geteuid() == 0) {
		CHECK(!setegid(65534));
		CHECK(!setegid(0));
		usleep(1000);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[THREADS], other[2];
	pthread_attr_t small;

	t_start(4);
	if (argc > 1)
		rounds = atoi(argv[1]);
	CHECK(!pthread_attr_init(&small));
	CHECK(!pthread_attr_setstacksize(
		&small, SMALL > PTHREAD_STACK_MIN ? SMALL : PTHREAD_STACK_MIN));
	CHECK(!pthread_create(&other[0], NULL, churn, NULL));
	CHECK(!pthread_create(&other[1], NULL, change_ids, NULL));
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&thread[i], &small, spawner,
				      (void *)(intptr_t)i));
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(thread[i], NULL));
	stop = true;
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_join(other[i], NULL));
	printf("%d threads, %d rounds each: %d wrong\n", THREADS, rounds,
	       wrong);
	return t_end();
}
