/*
 * ETXTBSY: threads write a program, close it and spawn it. While another one
 * spawns, its child may hold the descriptor that was just written to, and the
 * program can't be started. Prints how often; whose posix_spawn it is, the
 * environment decides.
 *
 *	busy NOOP [SPAWNS [THREADS]]
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *program;
static ssize_t program_bytes;
static long each = 500;
static long busy, failed;

static void write_it(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (fd < 0 || write(fd, program, (size_t)program_bytes) < 0)
		__atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
	close(fd);
}

static void *run(void *arg)
{
	char path[64], *argv[] = { path, NULL };

	snprintf(path, sizeof(path), "./busy.%d.%ld", (int)getpid(), (long)arg);
	for (long i = 0; i < each; i++) {
		pid_t pid;
		int rc;

		write_it(path);
		rc = posix_spawn(&pid, path, NULL, NULL, argv, environ);
		if (rc == ETXTBSY)
			__atomic_add_fetch(&busy, 1, __ATOMIC_RELAXED);
		else if (rc || waitpid(pid, NULL, 0) != pid)
			__atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
		unlink(path);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long threads = argc > 3 ? atol(argv[3]) : 16;
	pthread_t *thread = calloc((size_t)threads, sizeof(*thread));
	struct timespec from, to;
	int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;

	program = malloc(1 << 20);
	if (fd < 0 || !thread || !program)
		return 2;
	program_bytes = read(fd, program, 1 << 20);
	close(fd);
	if (argc > 2)
		each = atol(argv[2]) / threads;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (long i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, run, (void *)i))
			return 1;
	for (long i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("spawns %ld count\n", each * threads);
	printf("etxtbsy %ld count\n", busy);
	printf("whole %.1f us\n", ((double)(to.tv_sec - from.tv_sec) * 1e6 +
				   (double)(to.tv_nsec - from.tv_nsec) / 1e3) /
					  (double)(each * threads));
	free(thread);
	free(program);
	return failed != 0;
}
