/*
 * Many spawns, a part of which fail at a random step: resident size,
 * mappings and descriptors of the parent stay flat. With threads, from 16 at
 * once. With "inject" it is not the step that is impossible, but a random
 * system call of parent or child that fails. Arguments: spawns [percent that
 * fails [threads [inject]]]; T_SPAWNS in the environment wins. T_NOOP is a
 * program that ends at once, else the report program is. Prints facts; figures
 * go to standard error if T_FIGURES is set.
 */
#include "inject.h"
#include "size.h"
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_THREADS = 16,
	SLACK_KIB = 1024,   /* what threads, stdio and the heap may settle at */
	STACK_MAPPINGS = 2, /* of a child: one is kept for each that was there
			     * at once, which may be more the second time */
};

static const char *program;
static long spawns = 1000, fail_percent, threads = 1;
static long started, refused, wrong, injected;
static bool injects;
static pthread_barrier_t together;

/* A step that fails, and what it says. */
static int spoil(posix_spawn_file_actions_t *fa, posix_spawnattr_t *at,
		 const char **path, int way)
{
	switch (way) {
	case 0:
		*path = "/nonexistent";
		return ENOENT;
	case 1:
		*path = "/";
		return EACCES;
	case 2:
		posix_spawn_file_actions_adddup2(fa, 90, 1);
		return EBADF;
	case 3:
		posix_spawn_file_actions_addopen(fa, 7, "/nonexistent",
						 O_RDONLY, 0);
		return ENOENT;
	case 4:
		posix_spawn_file_actions_addchdir_np(fa, "/nonexistent");
		return ENOENT;
	case 5:
		posix_spawnattr_setflags(at, POSIX_SPAWN_SETPGROUP);
		posix_spawnattr_setpgroup(at, 1);
		return EPERM;
	case 6:
		posix_spawnattr_setflags(at, POSIX_SPAWN_SETSCHEDULER);
		posix_spawnattr_setschedpolicy(at, SCHED_OTHER);
		posix_spawnattr_setschedparam(
			at, &(struct sched_param){ .sched_priority = 9 });
		return EINVAL;
	default:
		posix_spawn_file_actions_addclosefrom_np(fa, 3);
		posix_spawn_file_actions_addfchdir_np(fa, 5);
		return EBADF;
	}
}

/* Only errors that do not make it another way for good: that is not what is
 * to be seen here. Of calls that are not made none fails. */
static void arm(unsigned *seed)
{
	if (rand_r(seed) % 4)
		inject_on(INJECT_CHILD, 1 + (unsigned)rand_r(seed) % 8, 0);
	else
		inject_on(INJECT_PARENT, 1 + (unsigned)rand_r(seed) % 2,
			  (unsigned)rand_r(seed) % 2);
}

static void add(long *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static void one(unsigned *seed)
{
	bool fails = rand_r(seed) % 100 < fail_percent;
	char *argv[] = { "report", "exit", "7", NULL };
	posix_spawn_file_actions_t fa;
	const char *path = program;
	int status, rc, want = 0;
	posix_spawnattr_t at;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&at);
	if (rand_r(seed) % 2) {
		posix_spawn_file_actions_addopen(&fa, 5, "/dev/null", O_RDWR,
						 0);
		posix_spawn_file_actions_addclose(&fa, 5);
	}
	if (rand_r(seed) % 4 == 0)
		posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	if (fails && injects)
		arm(seed);
	else if (fails)
		want = spoil(&fa, &at, &path, rand_r(seed) % 8);
	if (getenv("T_NOOP"))
		argv[1] = argv[2];
	rc = posix_spawn(&pid, path, &fa, &at, argv, environ);
	if (fails && injects) {
		inject_off();
		injected += inject->call != NULL;
		if (rc && (!inject->call || rc != inject->error))
			add(&wrong);
	} else if (rc != want) {
		add(&wrong);
	}
	if (!rc && (waitpid(pid, &status, 0) != pid || status != 7 << 8))
		add(&wrong);
	add(rc ? &refused : &started);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&at);
	if (injects)
		CHECK(waitpid(-1, NULL, WNOHANG | __WALL) < 0);
}

/* All are there at once every time: their stacks and arenas are libc's to
 * keep. */
static void *run(void *arg)
{
	unsigned seed = (unsigned)(intptr_t)arg;

	pthread_barrier_wait(&together);
	for (long i = 0; i < spawns / threads; i++)
		one(&seed);
	pthread_barrier_wait(&together);
	return NULL;
}

static void run_all(void)
{
	pthread_t thread[MAX_THREADS];

	CHECK(!pthread_barrier_init(&together, NULL, (unsigned)threads));
	if (threads == 1) {
		run((void *)1);
		return;
	}
	for (long i = 0; i < threads; i++)
		CHECK(!pthread_create(&thread[i], NULL, run,
				      (void *)(intptr_t)(i + 1)));
	for (long i = 0; i < threads; i++)
		CHECK(!pthread_join(thread[i], NULL));
}

/* The process that spawns is a child of the one that was started. */
static void be_traced(void)
{
	int status;
	pid_t pid;

	inject_prepare();
	pid = fork();
	CHECK(pid >= 0);
	if (pid) {
		status = inject_trace(pid, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : T_FAILED);
	}
	inject_wait_for_tracer();
	injects = true;
}

int main(int argc, char **argv)
{
	const char *text = getenv("T_SPAWNS");
	struct timespec from, to;
	struct size before, after;
	long all;

	if (argc > 4)
		be_traced();
	t_start(4);
	program = getenv("T_NOOP") ? getenv("T_NOOP") : t_report;
	all = text ? atol(text) : argc > 1 ? atol(argv[1]) : 1000;
	fail_percent = argc > 2 ? atol(argv[2]) : 0;
	threads = argc > 3 ? atol(argv[3]) : 1;
	CHECK(threads > 0 && threads <= (injects ? 1 : MAX_THREADS));
	spawns = threads * 20; /* what is kept for later is there then */
	run_all();
	before = size_now();
	spawns = all;
	started = refused = injected = 0;
	clock_gettime(CLOCK_MONOTONIC, &from);
	run_all();
	clock_gettime(CLOCK_MONOTONIC, &to);
	after = size_now();
	if (getenv("T_FIGURES"))
		fprintf(stderr,
			"%ld started, %ld refused, %ld calls failed, %ld s; "
			"KiB %ld to %ld, mappings %ld to %ld\n",
			started, refused, injected,
			(long)(to.tv_sec - from.tv_sec), before.kib, after.kib,
			before.mappings, after.mappings);
	CHECK(after.fds == before.fds);
	CHECK(after.kib - before.kib < SLACK_KIB);
	CHECK(after.mappings - before.mappings <= STACK_MAPPINGS * threads);
	CHECK(started + refused == spawns / threads * threads);
	CHECK((refused > 0) == (fail_percent > 0));
	printf("%ld spawns, %ld threads: %ld wrong\n", spawns, threads, wrong);
	return t_end();
}
