/*
 * What a child that has written something has all the same, in the end.
 * Argument:
 *
 * robust       a robust mutex that it locks is released when it execs
 * robust_exits ... and when it ends
 * robust_held  ... if it holds two, and gave back a third that lay between
 * grows        memory that grows downwards goes on doing so
 * limit        a limit on data that leaves room for nothing more
 * limits_self  ... which it sets itself
 * limited      its memory, where somebody else sets such a limit for it
 * forks        children of its own, when it is an ordinary process
 * files        what it had opened itself before is not its children's own
 *
 * Test: -l -e FLATFORK_LEND=off
 *       committed-keeps-{robust,robust_exits,robust_held,grows} {}
 * Test: -l -e FLATFORK_LEND=off committed-keeps-{forks,files,limits_self,limited} {}
 * Test: -e FLATFORK_LEND=off committed-keeps-limit limit
 * Test: -l -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-mem served-committed-keeps-{robust,grows} {}
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	PROOFS = 2, /* children by which the site becomes known */
	LOCKS = 3,
	PAGE = 4096
};

static const char *how;
static pthread_mutex_t *lock;
static volatile char *low;
static volatile int *is_limited;
static int tells[2];

static bool is(const char *name)
{
	return !strcmp(how, name);
}

static void make_locks(void)
{
	pthread_mutexattr_t attributes;

	lock = t_shared(PAGE);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	for (int i = 0; i < LOCKS; i++)
		CHECK(!pthread_mutex_init(&lock[i], &attributes));
}

static void say_locks(void)
{
	struct timespec t;
	int rc;

	for (int i = 0; i < LOCKS; i++) {
		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_sec += 5;
		rc = pthread_mutex_timedlock(&lock[i], &t);
		printf("lock %d: %s\n", i, strerror(rc));
		if (rc == EOWNERDEAD)
			pthread_mutex_consistent(&lock[i]);
		if (rc == 0 || rc == EOWNERDEAD)
			pthread_mutex_unlock(&lock[i]);
	}
}

static void make_growing(void)
{
	char *room = mmap(NULL, 16 << 20, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(room != MAP_FAILED && !munmap(room, 16 << 20));
	low = mmap(room + (12 << 20), 2 << 20, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1,
		   0);
	CHECK(low != MAP_FAILED);
	for (int i = 0; i < 2 << 20; i += PAGE)
		low[i] = 1;
}

static void limit_data(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_DATA, &limit);
	limit.rlim_cur = (rlim_t)t_area_bytes;
	CHECK(!setrlimit(RLIMIT_DATA, &limit));
}

/* A process of its own, which is told whom to limit. */
static pid_t start_limiter(void)
{
	struct rlimit limit;
	pid_t pid, whom;

	is_limited = t_shared(PAGE);
	CHECK(!pipe(tells));
	pid = fork(); /* another site: it does not exec */
	CHECK(pid >= 0);
	if (pid > 0)
		return pid;
	CHECK(read(tells[0], &whom, sizeof(whom)) == sizeof(whom));
	CHECK(!prlimit(whom, RLIMIT_DATA, NULL, &limit));
	limit.rlim_cur = PAGE;
	CHECK(!prlimit(whom, RLIMIT_DATA, &limit, NULL));
	*is_limited = 1;
	_exit(0);
}

static void be_limited(void)
{
	pid_t self = getpid();

	CHECK(write(tells[1], &self, sizeof(self)) == sizeof(self));
	while (!*is_limited)
		;
	CHECK(t_intact(t_area, t_area_bytes));
	_exit(7);
}

/* Is there room for as much again? */
static void say_room(void)
{
	void *more = mmap(NULL, t_area_bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(write(2, more == MAP_FAILED ? "none\n" : "room\n", 5) == 5);
}

static void fork_twice(void)
{
	unsigned char core;
	pid_t pid;

	CHECK(!mincore(t_area, 4096, &core)); /* no lazy child's call */
	for (int i = 0; i < 2; i++) {
		pid = t_fork();
		if (pid == 0)
			t_exec_exit(3 + i);
		t_reap(pid, "child's child");
	}
}

/* An offset that is shared is moved once. */
static void share_offset(void)
{
	unsigned char core;
	char byte;
	pid_t pid;
	int fd;

	fd = open(t_report, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(!mincore(t_area, 4096, &core)); /* no lazy child's call */
	CHECK(!close(fd));
	CHECK(open(t_report, O_RDONLY | O_CLOEXEC) == fd);
	pid = fork(); /* another site */
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(read(fd, &byte, 1) == 1);
		CHECK(write(2, "read\n", 5) == 5);
		t_exec_exit(3);
	}
	t_reap(pid, "child's child");
	dprintf(2, "offset %d\n", (int)lseek(fd, 0, SEEK_CUR));
}

static void child_runs(void)
{
	CHECK(write(1, "", 0) == 0);
	CHECK(write(2, "child\n", 6) == 6);
	if (is("limits_self"))
		limit_data();
	if (is("limit") || is("limits_self"))
		say_room();
	if (is("limited"))
		be_limited();
	if (is("forks"))
		fork_twice();
	if (is("files"))
		share_offset();
	if (lock) {
		CHECK(!pthread_mutex_lock(&lock[0]));
		if (is("robust_held")) {
			CHECK(!pthread_mutex_lock(&lock[1]));
			CHECK(!pthread_mutex_lock(&lock[2]));
			CHECK(!pthread_mutex_unlock(&lock[1]));
		}
	}
	for (int i = 1; low && i < 20; i++)
		low[-PAGE * i] = 1;
	if ((is("limit") || is("limits_self")) &&
	    !t_intact(t_area, t_area_bytes))
		_exit(8);
	if (is("robust_exits"))
		_exit(7);
	t_exec_exit(7);
}

int main(int argc, char **argv)
{
	pid_t pid, limiter = 0;

	how = argc > 1 ? argv[1] : "grows";
	t_start(48);
	for (int i = 0; i <= PROOFS; i++) {
		if (i == PROOFS && !strncmp(how, "robust", 6))
			make_locks();
		if (i == PROOFS && is("grows"))
			make_growing();
		if (i == PROOFS && is("limit"))
			limit_data();
		if (i == PROOFS && is("limited"))
			limiter = start_limiter();
		pid = t_fork();
		if (pid == 0) {
			if (i < PROOFS) {
				CHECK(write(2, "known\n", 6) == 6);
				t_exec_exit(7);
			}
			child_runs();
		}
		t_reap(pid, "child");
	}
	if (limiter) {
		t_reap(limiter, "who limits");
		close(tells[0]);
		close(tells[1]);
	}
	if (lock)
		say_locks();
	return t_end();
}
