/*
 * The same child by musl's posix_spawn: built by musl-gcc, asked by the spawn
 * benchmark in turn with the other ways. For each byte on standard input: one
 * child, and its nanoseconds on standard output.
 *
 *	spawn-musl NOOP MIB DESCRIPTORS
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int main(int argc, char **argv)
{
	size_t bytes = argc > 2 ? strtoul(argv[2], NULL, 10) << 20 : 0;
	int fds = argc > 3 ? atoi(argv[3]) : 0;
	struct rlimit rl = { (rlim_t)fds + 64, (rlim_t)fds + 64 };
	extern char **environ;
	char order;

	if (fds > 900 && setrlimit(RLIMIT_NOFILE, &rl))
		return 77;
	for (int i = 3; i < fds; i++)
		if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
			return 1;
	if (bytes) {
		char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return 1;
		for (size_t at = 0; at < bytes; at += 4096)
			p[at] = 1;
	}
	while (read(0, &order, 1) == 1) {
		char *args[] = { "noop", NULL };
		int64_t from = now_ns();
		int status;
		pid_t pid;

		if (posix_spawn(&pid, argv[1], NULL, NULL, args, environ) ||
		    waitpid(pid, &status, 0) != pid)
			return 1;
		from = now_ns() - from;
		if (write(1, &from, sizeof(from)) != sizeof(from))
			return 1;
	}
	return 0;
}
