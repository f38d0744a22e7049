/*
 * starts PROGRAM: starts it by fork, vfork and posix_spawn, and says how each
 * ended. It makes as few system calls of its own as can be, as it runs under
 * filters that refuse some: what libc alone can't do there it says, too.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES ((size_t)8 << 20)

extern char **environ;
static char memory[BYTES];

static void say(const char *what, const char *how, int number)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%s: %s %d\n", what, how, number);

	if (write(1, line, (size_t)n) != n)
		_exit(9);
}

static void reap(const char *what, pid_t pid)
{
	int status = 0;

	if (pid < 0)
		say(what, "error", errno);
	else if (waitpid(pid, &status, 0) != pid)
		say(what, "no child", errno);
	else
		say(what, "status", status);
}

static void by_fork(char **argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		memory[BYTES / 2]++;
		execv(argv[0], argv);
		_exit(8);
	}
	reap("fork", pid);
	if (memory[BYTES / 2] != 1)
		say("fork", "changed its parent", memory[BYTES / 2]);
}

/* No frame of ours returns in the child. */
static void by_vfork(char **argv)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(8);
	}
	reap("vfork", pid);
}

static void by_spawn(char **argv)
{
	pid_t pid = -1;
	int error = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);

	errno = error;
	reap("posix_spawn", error ? -1 : pid);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	memset(memory, 1, sizeof(memory));
	for (int i = 0; i < 3; i++) {
		by_fork(argv + 1);
		by_vfork(argv + 1);
		by_spawn(argv + 1);
	}
	return 0;
}
