/*
 * A pipeline, as a shell makes it: each program reads what the one before it
 * writes; the status is the last one's. No descriptor of this process leaks
 * into any of them.
 *
 *	pipeline "seq 1000" "grep 7" "wc -l"
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <flatfork/flatfork.h>

extern char **environ;

/* Start @command with these as its input and output. */
static pid_t start(char *command, int in, int out)
{
	const struct flatfork_fd map[] = { { in, 0 }, { out, 1 } };
	char *argv[] = { "sh", "-c", command, NULL };
	struct flatfork_spawn *how = flatfork_spawn_new();
	struct flatfork_child child = { -1, -1 };
	struct flatfork_error error;

	if (!how || flatfork_spawn_map(how, map, 2, true)) {
		fprintf(stderr, "pipeline: no memory\n");
	} else if (flatfork_start(how, "/bin/sh", argv, environ, &child,
				  &error)) {
		fprintf(stderr, "pipeline: %s\n", error.text);
	}
	flatfork_spawn_free(how);
	return child.pid;
}

int main(int argc, char **argv)
{
	int in = STDIN_FILENO, fd[2], status = 127 << 8, i;
	pid_t last = -1, ended;

	for (i = 1; i < argc; i++) {
		int out = STDOUT_FILENO;

		if (i < argc - 1) {
			if (pipe2(fd, O_CLOEXEC) < 0) {
				perror("pipeline: pipe2");
				return 1;
			}
			out = fd[1];
		}
		last = start(argv[i], in, out);
		if (in != STDIN_FILENO)
			close(in);
		if (out != STDOUT_FILENO) {
			close(out);
			in = fd[0];
		}
	}
	for (;;) {
		int one;

		ended = wait(&one);
		if (ended < 0)
			break;
		if (ended == last)
			status = one;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
