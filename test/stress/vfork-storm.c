/*
 * A storm of vforks: threads whose children exec, end, fail to exec, are
 * killed while they sleep, or - with the first argument "vfork", or "fork"
 * for plain libc - return, exit, fork or thread. Nothing is lost: each child
 * is reaped once by its thread with the status it must have, no zombie,
 * descriptor or mapping is left, resident size is flat. Arguments:
 * [fork|vfork] rounds; T_ROUNDS in the environment wins. Figures go to standard error if T_FIGURES is set.
 */
#include "size.h"
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	THREADS = 4,
	RIGHT_WAYS = 4,
	WAYS = 8,
	SLACK_KIB = 2048 /* what threads, stdio and the heap may settle at */
};

static const char *program;
static long rounds;
static bool wrong, by_fork;
static volatile int killer_stops;
static volatile pid_t *victim; /* shared, for fork's children, too */
static pthread_barrier_t together;

/* Sleepers are told to it by the child itself: their thread is suspended. */
static void *killer(void *arg)
{
	while (!killer_stops) {
		for (int i = 0; i < THREADS; i++) {
			pid_t pid = __atomic_exchange_n(&victim[i], 0,
							__ATOMIC_ACQ_REL);

			if (pid)
				kill(pid, SIGKILL);
		}
		usleep(300);
	}
	return arg;
}

static void *nothing(void *arg)
{
	return arg;
}

/* What a wrong child does; way RIGHT_WAYS is to return. */
static void child_goes_wrong(int way)
{
	pthread_t thread;
	pid_t pid;

	if (way == RIGHT_WAYS + 1)
		exit(3);
	if (way == RIGHT_WAYS + 2) {
		pid = fork();
		if (pid == 0)
			_exit(0);
		_exit(waitpid(pid, NULL, 0) == pid ? 3 : 4);
	}
	_exit(pthread_create(&thread, NULL, nothing, NULL) ||
			      pthread_join(thread, NULL) ?
		      5 :
		      3);
}

static __attribute__((noinline)) pid_t starts(int way, int me)
{
	volatile long local = way;
	pid_t pid = by_fork ? fork() : vfork();

	if (pid == 0) {
		local = -1;
		if (way == 0)
			execl(program, "noop", "3", (char *)NULL);
		if (way == 1)
			_exit(3);
		if (way == 2) {
			execl("/nowhere/x", "x", (char *)NULL);
			_exit(errno == ENOENT ? 3 : 4);
		}
		if (way == 3) {
			__atomic_store_n(&victim[me], getpid(),
					 __ATOMIC_RELEASE);
			for (;;)
				pause();
		}
		if (way != RIGHT_WAYS)
			child_goes_wrong(way);
		return 0;
	}
	CHECK(pid > 0);
	CHECK(local == (way < RIGHT_WAYS && !by_fork ? -1 : way));
	return pid;
}

static void *run(void *arg)
{
	int me = (int)(intptr_t)arg;
	unsigned seed = (unsigned)me + 1;

	pthread_barrier_wait(&together);
	for (long i = 0; i < rounds; i++) {
		int way = rand_r(&seed) % (wrong ? WAYS : RIGHT_WAYS), status;
		pid_t pid = starts(way, me), got;

		if (pid == 0)
			_exit(3);
		do
			got = waitpid(pid, &status, 0);
		while (got < 0 && errno == EINTR);
		CHECK(got == pid);
		CHECK(status == (way == 3 ? SIGKILL : 3 << 8));
	}
	return NULL;
}

static void run_all(long each)
{
	pthread_t thread[THREADS];

	rounds = each;
	for (long i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&thread[i], NULL, run, (void *)i));
	for (long i = 0; i < THREADS; i++)
		CHECK(!pthread_join(thread[i], NULL));
}

int main(int argc, char **argv)
{
	const char *text = getenv("T_ROUNDS");
	long all;
	struct size before, after;
	pthread_t kills;

	t_start(16);
	program = getenv("T_NOOP") ? getenv("T_NOOP") : t_report;
	wrong = argc > 2;
	by_fork = wrong && !strcmp(argv[1], "fork");
	all = text ? atol(text) : argc > 1 ? atol(argv[argc - 1]) : 100;
	victim = t_shared(4096);
	CHECK(!pthread_barrier_init(&together, NULL, THREADS));
	CHECK(!pthread_create(&kills, NULL, killer, NULL));
	run_all(20); /* what is kept for later is there then */
	before = size_now();
	run_all(all);
	after = size_now();
	killer_stops = 1;
	CHECK(!pthread_join(kills, NULL));
	if (getenv("T_FIGURES"))
		fprintf(stderr, "KiB %ld to %ld, mappings %ld to %ld\n",
			before.kib, after.kib, before.mappings, after.mappings);
	CHECK(after.fds == before.fds);
	CHECK(after.kib - before.kib < SLACK_KIB);
	CHECK(after.mappings - before.mappings <= THREADS);
	printf("%d times %ld children\n", THREADS, all);
	return t_end();
}
