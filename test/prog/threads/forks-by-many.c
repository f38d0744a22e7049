/*
 * Many threads fork at once, and their children exec. All children are right, and
 * none is real for want of a place, or for another thread's fork. Two threads
 * more make children that end without exec, and are real by that alone.
 * Arguments: how many threads, forks of each, and "handlers": all forks lock the
 * same mutex, and so would wait for each other if one were held up behind it.
 *
 * Test: -l -t 120 -q "real: (a real fork is|too many forks|seccomp)"
 *       forks-by-many 8 20
 * Test: -l -t 120 -q "real: (a real fork is|too many forks|seccomp)"
 *       handlers-forks-by-many 8 20 handlers
 * Test: -l -t 240 -q "real: (a real fork is|too many forks|seccomp)"
 *       forks-by-64 64 3
 * Test: -l -t 240 -q "real: (a real fork is|too many forks|seccomp)"
 *       forks-by-512 512 1
 */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	NEVER = 2, /* threads whose children do not exec */
	THREADS_MAX = 1024,
	STACK_BYTES = 64 << 10
};

static pthread_barrier_t all_are_there;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long forks;
static _Atomic long wrong;

static void lock(void)
{
	pthread_mutex_lock(&mutex);
}

static void unlock(void)
{
	pthread_mutex_unlock(&mutex);
}

static bool one(bool execs, int expected)
{
	char text[8];
	int status;
	pid_t pid = t_fork();

	if (pid == 0 && execs) {
		snprintf(text, sizeof(text), "%d", expected);
		execl(t_report, "report", "exit", text, (char *)NULL);
	}
	if (pid == 0)
		_exit(execs ? 90 : expected);
	while (waitpid(pid, &status, 0) < 0)
		CHECK(errno == EINTR);
	return status == expected << 8;
}

static void *work(void *arg)
{
	const long number = (long)arg;

	pthread_barrier_wait(&all_are_there);
	for (long i = 0; i < forks; i++)
		wrong += !one(number >= NEVER, (int)((number * 7 + i) % 80));
	return NULL;
}

int main(int argc, char **argv)
{
	long threads = argc > 2 ? atol(argv[1]) + NEVER : NEVER;
	static pthread_t thread[THREADS_MAX];
	pthread_attr_t attr;

	t_start(32);
	CHECK(argc > 2 && threads <= THREADS_MAX);
	forks = atol(argv[2]);
	if (argc > 3)
		CHECK(!pthread_atfork(lock, unlock, unlock));
	pthread_barrier_init(&all_are_there, NULL, (unsigned)threads);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (long i = 0; i < threads; i++)
		CHECK(!pthread_create(&thread[i], &attr, work, (void *)i));
	for (long i = 0; i < threads; i++)
		CHECK(!pthread_join(thread[i], NULL));
	printf("%ld threads: %ld wrong\n", threads, wrong);
	return t_end();
}
