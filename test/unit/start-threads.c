/*
 * Threads that start programs by libflatfork: from one description that all
 * use, and from ones of their own that fail at every kind of step. Meant to be
 * run under sanitizers and valgrind, which say what went wrong; without them
 * it is a test as well. Argument: rounds.
 */
#include "flatfork/flatfork.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	THREADS = 6,
};

static struct flatfork_spawn *shared;
static int rounds = 10;
static int wrong;

#define EXPECT(c)                                                        \
	do {                                                             \
		if (!(c)) {                                              \
			fprintf(stderr, "line %d: %s\n", __LINE__, #c);  \
			__atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED); \
		}                                                        \
	} while (0)

static void start(const struct flatfork_spawn *how, const char *path, int want)
{
	char *argv[] = { "sh", "-c", "exit 3", NULL };
	struct flatfork_child child = { -1, -1 };
	struct flatfork_error error = { .error = 0 };
	int status, rc;

	rc = flatfork_start(how, path, argv, environ, &child, &error);
	EXPECT(rc == want);
	if (rc) {
		EXPECT(error.error == rc && strlen(error.text) > 0);
		return;
	}
	EXPECT(waitpid(child.pid, &status, 0) == child.pid);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	if (child.pidfd >= 0)
		close(child.pidfd);
}

/* One more kind of step each: what it says. */
static int spoil(struct flatfork_spawn *how, int way)
{
	switch (way) {
	case 0:
		flatfork_spawn_dup2(how, 700, 1);
		return EBADF;
	case 1:
		flatfork_spawn_open(how, 5, "/nonexistent/x", O_RDONLY, 0);
		return ENOENT;
	case 2:
		flatfork_spawn_chdir(how, "/nonexistent/x");
		return ENOENT;
	case 3:
		flatfork_spawn_process_group(how, 1);
		return EPERM;
	case 4:
		flatfork_spawn_fchdir(how, 0);
		return ENOTDIR;
	default:
		return 0;
	}
}

static void own_one(int way)
{
	struct flatfork_spawn *how = flatfork_spawn_new();
	sigset_t none;
	int want;

	EXPECT(how);
	if (!how)
		return;
	sigemptyset(&none);
	for (int i = 0; i < 20; i++) /* more than one block of them */
		flatfork_spawn_open(how, 10 + i, "/dev/null", O_RDWR, 0);
	flatfork_spawn_close_from(how, 12);
	flatfork_spawn_signal_mask(how, &none);
	flatfork_spawn_umask(how, 027);
	flatfork_spawn_limit(how, RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	flatfork_spawn_death_signal(how, SIGTERM);
	flatfork_spawn_pidfd(how, way % 2);
	want = spoil(how, way);
	start(how, "/bin/sh", want);
	flatfork_spawn_free(how);
}

static void *run(void *arg)
{
	int me = (int)(intptr_t)arg;

	for (int i = 0; i < rounds; i++) {
		start(shared, "/bin/sh", 0);
		start(shared, "/nonexistent/x", ENOENT);
		start(NULL, "/", EACCES);
		own_one((me + i) % 7);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[THREADS];

	if (argc > 1)
		rounds = atoi(argv[1]);
	if (open("/dev/null", O_RDONLY) < 0 || dup2(3, 0) < 0)
		return 1;
	shared = flatfork_spawn_new();
	EXPECT(shared && !flatfork_spawn_close_from(shared, 3));
	for (intptr_t i = 0; i < THREADS; i++)
		EXPECT(!pthread_create(&thread[i], NULL, run, (void *)i));
	for (int i = 0; i < THREADS; i++)
		EXPECT(!pthread_join(thread[i], NULL));
	flatfork_spawn_free(shared);
	EXPECT(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
	printf("%d threads, %d rounds: %d wrong\n", THREADS, rounds, wrong);
	return wrong != 0;
}
