/*
 * Other threads work while one forks: they write to the forking thread's
 * stack and heap (nothing may be lost), map and unmap, grow the heap, spawn
 * children by posix_spawn and system, fork themselves. Argument:
 * the number of forks per thread.
 *
 * Test: -l threads-while-forking 60
 * Test: -l -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-mem served-threads-while-forking 20
 */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static volatile int done;
static volatile uint64_t *on_stack;
static uint64_t *on_heap;
static uint64_t written;

static void *writer(void *arg)
{
	uint64_t n = 0;

	(void)arg;
	while (!done) {
		n++;
		/* adds to what is there: one lost write stays visible */
		for (int i = 0; i < 64; i++) {
			on_stack[i * 16]++;
			on_heap[i * 4096]++;
		}
	}
	written = n;
	return NULL;
}

static void *mapper(void *arg)
{
	(void)arg;
	while (!done) {
		char *p = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		CHECK(p != MAP_FAILED);
		for (int i = 0; i < 4 << 20; i += 65536)
			p[i] = 1;
		mprotect(p + (1 << 20), 1 << 20, PROT_READ);
		for (int i = 0; i < 4 << 20; i += 65536)
			CHECK(p[i] == 1);
		CHECK(!munmap(p, 4 << 20));
		p = malloc(200000);
		memset(p, 1, 200000);
		free(p);
	}
	return NULL;
}

static void *spawner(void *arg)
{
	char *args[] = { "report", "exit", "6", NULL };
	long bad = 0;

	(void)arg;
	while (!done) {
		int status;
		pid_t pid;

		bad += posix_spawn(&pid, t_report, NULL, NULL, args, environ);
		bad += waitpid(pid, &status, 0) != pid || status != 6 << 8;
	}
	return (void *)bad;
}

static void *forker(void *arg)
{
	long bad = 0;

	for (int i = 0; i < (int)(long)arg; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			char *p;

			if (!t_intact(t_area + (i % 16 << 20), 1 << 20))
				_exit(50);
			p = malloc(100000);
			memset(p, 1, 100000);
			free(p);
			if (i % 8 == 7)
				_exit(3);
			execl(t_report, "report", "exit", "3", (char *)NULL);
			_exit(51);
		}
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		bad += status != 3 << 8;
	}
	return (void *)bad;
}

int main(int argc, char **argv)
{
	volatile uint64_t frame[64 * 16];
	int forks = argc > 1 ? atoi(argv[1]) : 60;
	void *(*const roles[])(void *) = { writer, mapper, mapper, spawner };
	pthread_t t[5];
	long bad = 0, bad_spawns = 0, lost = 0;
	void *result;

	t_start(64);
	memset((void *)frame, 0, sizeof(frame));
	on_stack = frame;
	on_heap = calloc(64 * 4096, 8);
	for (int i = 0; i < 4; i++)
		CHECK(!pthread_create(&t[i], NULL, roles[i], NULL));
	CHECK(!pthread_create(&t[4], NULL, forker, (void *)(long)forks));
	bad += (long)forker((void *)(long)forks);
	pthread_join(t[4], &result);
	bad += (long)result;
	done = 1;
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &result);
		if (roles[i] == spawner)
			bad_spawns += (long)result;
	}
	for (int i = 0; i < 64; i++)
		lost += (frame[i * 16] != written) +
			(on_heap[i * 4096] != written);
	printf("%d forks by two threads: %ld bad, %ld bad spawns, %ld places "
	       "lost writes\n",
	       2 * forks, bad, bad_spawns, lost);
	free(on_heap);
	return t_end();
}
