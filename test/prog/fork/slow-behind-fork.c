/*
 * Children that compute before they make any call, right behind libc's fork, or
 * have many threads' stacks to go through in it: none of them is lost there.
 *
 * Test: -l -q "is lost" slow-behind-fork-CASE CASE
 */
#define CASES_MIB 32
#include "../cases.h"

#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

enum {
	THREADS = 200,
	STACK = 256 << 10,
	FORKS = 3
};

/* Of its own time, by a clock that is asked beforehand how fast it is: a call
 * would be one that tells of it. */
static unsigned long rounds;

static void compute(void)
{
	for (volatile unsigned long i = 0; i < rounds; i++)
		;
}

static void measure(void)
{
	struct timespec now;

	rounds = 1 << 20;
	do {
		rounds *= 2;
		CHECK(!clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now));
		now.tv_nsec += now.tv_sec * 1000000000;
		long from = now.tv_nsec;
		compute();
		CHECK(!clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now));
		now.tv_nsec += now.tv_sec * 1000000000 - from;
	} while (now.tv_nsec < 50 * 1000000);
}

static void fork_by(pid_t (*function)(void), void (*in_child)(void))
{
	int status;
	pid_t pid;

	for (int i = 0; i < FORKS; i++) {
		pid = function();
		if (pid == 0) {
			if (in_child)
				in_child();
			t_exec_exit(3);
		}
		while (waitpid(pid, &status, 0) < 0)
			CHECK(errno == EINTR);
		CHECK(status == 3 << 8);
	}
}

CASE(in_handler)
{
	measure();
	CHECK(!pthread_atfork(NULL, NULL, compute));
	fork_by(fork, NULL);
}

CASE(in_child)
{
	measure();
	fork_by(fork, compute);
}

CASE(without_handlers)
{
	measure();
	fork_by(_Fork, compute);
}

static pthread_mutex_t at_work = PTHREAD_MUTEX_INITIALIZER;

static void *waits(void *unused)
{
	pthread_mutex_lock(&at_work);
	pthread_mutex_unlock(&at_work);
	return unused;
}

CASE(many_threads)
{
	pthread_t thread[THREADS];
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	CHECK(!pthread_attr_setstacksize(&attr, STACK));
	pthread_mutex_lock(&at_work);
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&thread[i], &attr, waits, NULL));
	fork_by(fork, NULL);
	pthread_mutex_unlock(&at_work);
	for (int i = 0; i < THREADS; i++)
		CHECK(!pthread_join(thread[i], NULL));
}

CASES_MAIN
