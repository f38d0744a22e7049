/*
 * A program of some size whose children exec, write before that, or end. Says
 * of each fork whether it failed and how, and whether fork handlers ran in
 * pairs, and malloc still works.
 *
 * denied [--signals] NOOP
 *   --signals   forks often, while a timer's signal comes all the time
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES ((size_t)64 << 20)

static char *noop;
static int to_me[2];
static int before, after;

static void count_before(void)
{
	before++;
}

static void count_after(void)
{
	after++;
}

static void exec_noop(void)
{
	execl(noop, noop, (char *)NULL);
	_exit(127);
}

static void child(const char *what)
{
	if (!strcmp(what, "writes") && write(to_me[1], "x", 1) != 1)
		_exit(126);
	if (!strcmp(what, "ends"))
		_exit(0);
	exec_noop();
}

static void say(const char *what, long pid)
{
	int error = errno, status = -1;

	if (pid > 0 && waitpid((pid_t)pid, &status, 0) != pid)
		status = -2;
	printf("%s: %s, status %d, handlers %d\n", what,
	       pid > 0	       ? "a child" :
	       error == ENOMEM ? "ENOMEM" :
				 strerror(error),
	       status, before - after);
	fflush(stdout);
	free(malloc(1 << 20));
}

static void fork_for(const char *what)
{
	pid_t pid;

	errno = 0;
	pid = fork();
	if (!pid)
		child(what);
	say(what, pid);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void fork_among_signals(void)
{
	const struct itimerval often = { { 0, 500 }, { 0, 500 } },
			       never = { { 0, 0 }, { 0, 0 } };
	const struct sigaction action = { .sa_handler = on_alarm,
					  .sa_flags = SA_RESTART };
	int failed = 0;
	pid_t pid;

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 100; i++) {
		pid = fork();
		if (!pid)
			exec_noop();
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			failed++;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	printf("among signals: %d failed\n", failed);
}

static void vfork_and_spawn(void)
{
	char *argv[] = { noop, NULL };
	pid_t pid = vfork();

	if (!pid)
		exec_noop();
	say("vfork", pid);
	errno = posix_spawn(&pid, noop, NULL, NULL, argv, argv + 1);
	say("spawn", errno ? -1 : pid);
}

int main(int argc, char **argv)
{
	volatile char *memory = malloc(BYTES);
	long pid;

	if (argc < 2 || !memory || pipe(to_me))
		return 2;
	noop = argv[argc - 1];
	for (size_t at = 0; at < BYTES; at += 4096)
		memory[at] = 1;
	if (argc > 2) {
		fork_among_signals();
		return memory[0] != 1;
	}
	pthread_atfork(count_before, count_after, NULL);
	for (int i = 0; i < 3; i++) {
		fork_for("execs");
		fork_for("writes");
		fork_for("ends");
	}
	vfork_and_spawn();
	pid = syscall(SYS_clone, CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);
	if (!pid)
		_exit(0);
	say("clone", pid);
	return memory[0] != 1;
}
