/*
 * What a program writes, within a time: its output is read until it closes
 * it or the deadline is there; then it is killed, through its pidfd, which
 * can't name anybody else. Status 124 if it was late, as timeout(1) has it.
 *
 *	capture MILLISECONDS PROGRAM ARGUMENT...
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <flatfork/flatfork.h>

extern char **environ;

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* All it writes, up to the deadline; false: it was late. */
static int collect(int fd, long deadline_ms, size_t *ret_bytes)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char text[4096];
	ssize_t n;

	*ret_bytes = 0;
	for (;;) {
		long left = deadline_ms - now_ms();

		if (left <= 0 || poll(&wait, 1, (int)left) <= 0)
			return 0;
		n = read(fd, text, sizeof(text));
		if (n <= 0)
			return 1;
		fwrite(text, 1, (size_t)n, stdout);
		*ret_bytes += (size_t)n;
	}
}

int main(int argc, char **argv)
{
	struct flatfork_spawn *how = flatfork_spawn_new();
	struct flatfork_child child;
	struct flatfork_error error;
	int fd[2], in_time;
	size_t bytes;
	siginfo_t end;
	long deadline_ms;

	if (argc < 3 || !how || pipe2(fd, O_CLOEXEC) < 0) {
		fprintf(stderr, "Usage: capture MILLISECONDS PROGRAM...\n");
		return 2;
	}
	deadline_ms = now_ms() + strtol(argv[1], NULL, 10);
	flatfork_spawn_search_path(how, true);
	flatfork_spawn_pidfd(how, true);
	if (flatfork_spawn_dup2(how, fd[1], 1) ||
	    flatfork_spawn_dup2(how, fd[1], 2))
		return 1;
	if (flatfork_start(how, argv[2], argv + 2, environ, &child, &error)) {
		fprintf(stderr, "capture: %s\n", error.text);
		return error.where == FLATFORK_IN_EXEC ? 127 : 125;
	}
	flatfork_spawn_free(how);
	close(fd[1]);
	in_time = collect(fd[0], deadline_ms, &bytes);
	if (!in_time)
		syscall(SYS_pidfd_send_signal, child.pidfd, SIGKILL, NULL, 0);
	waitid(P_PIDFD, (id_t)child.pidfd, &end, WEXITED);
	close(child.pidfd);
	fprintf(stderr, "%zu bytes, %s\n", bytes, in_time ? "in time" : "late");
	if (!in_time)
		return 124;
	return end.si_code == CLD_EXITED ? end.si_status : 128 + end.si_status;
}
