/*
 * marked [-t] PROGRAM: starts it by fork, and makes children that look at all
 * of their memory, by turns; says how each ended.
 *
 *	-t	while another thread moves memory about
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCKS 3
#define BYTES ((size_t)4 << 20)
#define ROUNDS 3

static unsigned char *block[BLOCKS];
static char **program;
static atomic_bool over;

static void fill(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		/* Apart, so that each is a mapping. */
		block[i] = mmap(NULL, BYTES + 4096, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (block[i] == MAP_FAILED)
			exit(2);
		mprotect(block[i] + BYTES, 4096, PROT_NONE);
		memset(block[i], i + 1, BYTES);
	}
}

static int is_whole(void)
{
	for (int i = 0; i < BLOCKS; i++)
		for (size_t at = 0; at < BYTES; at += 512)
			if (block[i][at] != i + 1)
				return 0;
	return 1;
}

static void child_execs(void)
{
	block[0][BYTES / 2] = 0;
	execv(program[0], program);
	_exit(8);
}

static void child_looks(void)
{
	_exit(is_whole() ? 0 : 9);
}

static void make(const char *what, void (*child)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		child();
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (pid > 0)
		printf("%s: status %d\n", what, status);
	else
		printf("%s: error %d\n", what, errno);
	fflush(stdout);
}

static void *move_about(void *unused)
{
	size_t bytes = BYTES;
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	while (!atomic_load(&over)) {
		at = mremap(at, bytes, 3 * BYTES - bytes, MREMAP_MAYMOVE);
		if (at == MAP_FAILED)
			exit(2);
		bytes = 3 * BYTES - bytes;
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int threads;

	if (argc < 2)
		return 2;
	threads = !strcmp(argv[1], "-t");
	program = argv + 1 + threads;
	fill();
	if (threads && pthread_create(&thread, NULL, move_about, NULL))
		return 2;
	for (int i = 0; i < ROUNDS; i++) {
		make("starts", child_execs);
		make("looks", child_looks);
	}
	if (threads) {
		atomic_store(&over, 1);
		pthread_join(thread, NULL);
	}
	puts(is_whole() ? "whole" : "not whole");
	return 0;
}
