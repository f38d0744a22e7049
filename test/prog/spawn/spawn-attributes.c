/*
 * Attributes and actions as objects: defaults, what setters take, objects
 * that were never initialised but are zero, objects that were copied.
 *
 * Test:
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static posix_spawn_file_actions_t zero_fa;
static posix_spawnattr_t zero_at;
static char *state[] = { "report", "pending", NULL };
static char *fds[] = { "report", "fds", NULL };

static void start(const char *what, const posix_spawn_file_actions_t *fa,
		  const posix_spawnattr_t *at, char **argv)
{
	pid_t pid;
	int rc;

	printf("%s\n", what);
	fflush(stdout);
	rc = posix_spawn(&pid, t_report, fa, at, argv, environ);
	if (rc)
		printf("  %s\n", strerrorname_np(rc));
	else
		t_reap(pid, what);
}

static void say(const posix_spawnattr_t *at)
{
	struct sched_param param;
	sigset_t mask, defaults;
	short flags;
	pid_t group;
	int policy;

	CHECK(!posix_spawnattr_getflags(at, &flags));
	CHECK(!posix_spawnattr_getpgroup(at, &group));
	CHECK(!posix_spawnattr_getsigmask(at, &mask));
	CHECK(!posix_spawnattr_getsigdefault(at, &defaults));
	CHECK(!posix_spawnattr_getschedpolicy(at, &policy));
	CHECK(!posix_spawnattr_getschedparam(at, &param));
	printf("flags %#x group %d policy %d priority %d mask %d default %d\n",
	       flags, group, policy, param.sched_priority,
	       sigismember(&mask, SIGUSR1), sigismember(&defaults, SIGUSR1));
}

static void setters(void)
{
	posix_spawnattr_t at;
	static const int flags[] = { 0, 0x7f, 0x80, 0xff, 0x200, 0x400, -1 };
	static const int policies[] = { SCHED_OTHER, SCHED_FIFO, SCHED_RR,
					SCHED_BATCH, SCHED_IDLE, 6,
					77,	     -1 };
	struct sched_param param = { -1 };

	CHECK(!posix_spawnattr_init(&at));
	say(&at);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		printf("setflags %#x: %d\n", flags[i],
		       posix_spawnattr_setflags(&at, (short)flags[i]));
	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++)
		printf("setschedpolicy %d: %d\n", policies[i],
		       posix_spawnattr_setschedpolicy(&at, policies[i]));
	printf("setpgroup -5: %d\n", posix_spawnattr_setpgroup(&at, -5));
	printf("setschedparam: %d\n",
	       posix_spawnattr_setschedparam(&at, &param));
	say(&at);
	printf("destroy: %d\n", posix_spawnattr_destroy(&at));
}

static void bad_actions(void)
{
	static const int fd[] = { -1, -2147483647 - 1, 1 << 20, 2147483647 };
	posix_spawn_file_actions_t fa;

	CHECK(!posix_spawn_file_actions_init(&fa));
	for (size_t i = 0; i < sizeof(fd) / sizeof(*fd); i++)
		printf("%d: open %d close %d dup2 %d %d closefrom %d "
		       "fchdir %d tcsetpgrp %d\n",
		       fd[i],
		       posix_spawn_file_actions_addopen(&fa, fd[i], "/", 0, 0),
		       posix_spawn_file_actions_addclose(&fa, fd[i]),
		       posix_spawn_file_actions_adddup2(&fa, fd[i], 0),
		       posix_spawn_file_actions_adddup2(&fa, 0, fd[i]),
		       posix_spawn_file_actions_addclosefrom_np(&fa, fd[i]),
		       posix_spawn_file_actions_addfchdir_np(&fa, fd[i]),
		       posix_spawn_file_actions_addtcsetpgrp_np(&fa, fd[i]));
	CHECK(!posix_spawn_file_actions_destroy(&fa));
}

static void fill(posix_spawn_file_actions_t *fa, posix_spawnattr_t *at)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(!posix_spawnattr_setflags(at, POSIX_SPAWN_SETSIGMASK |
						    POSIX_SPAWN_SETSIGDEF));
	CHECK(!posix_spawnattr_setsigmask(at, &set));
	CHECK(!posix_spawnattr_setsigdefault(at, &set));
	for (int i = 0; i < 40; i++) /* more than one block of them */
		CHECK(!posix_spawn_file_actions_adddup2(fa, 0, 10 + i));
	CHECK(!posix_spawn_file_actions_addclosefrom_np(fa, 12));
	CHECK(!posix_spawn_file_actions_addopen(fa, 5, "/dev/zero", O_RDWR, 0));
}

/* The caller may scribble over what he passed. */
static void copies_paths(void)
{
	posix_spawn_file_actions_t fa;
	char path[] = "/dev/null", dir[] = "/proc";

	CHECK(!posix_spawn_file_actions_init(&fa));
	CHECK(!posix_spawn_file_actions_addopen(&fa, 7, path, O_RDONLY, 0));
	CHECK(!posix_spawn_file_actions_addchdir_np(&fa, dir));
	memset(path, 'x', sizeof(path) - 1);
	memset(dir, 'x', sizeof(dir) - 1);
	start("paths", &fa, NULL, fds);
	start("paths, again", &fa, NULL, fds);
	CHECK(!posix_spawn_file_actions_destroy(&fa));
}

static void copied(void)
{
	posix_spawn_file_actions_t fa, fa2;
	posix_spawnattr_t at, at2;

	CHECK(!posix_spawn_file_actions_init(&fa) &&
	      !posix_spawnattr_init(&at));
	fill(&fa, &at);
	memcpy(&fa2, &fa, sizeof(fa));
	memcpy(&at2, &at, sizeof(at));
	memset(&fa, 0x55, sizeof(fa));
	memset(&at, 0x55, sizeof(at));
	start("copied", &fa2, &at2, fds);
	start("copied, mask", &fa2, &at2, state);
	CHECK(!posix_spawn_file_actions_destroy(&fa2));
	CHECK(!posix_spawnattr_destroy(&at2));
}

int main(void)
{
	t_start(4);
	setters();
	bad_actions();
	copies_paths();
	copied();
	say(&zero_at);
	start("zero", &zero_fa, &zero_at, fds);
	fill(&zero_fa, &zero_at);
	start("zero, filled", &zero_fa, &zero_at, fds);
	start("zero, mask", &zero_fa, &zero_at, state);
	CHECK(!posix_spawn_file_actions_destroy(&zero_fa));
	return t_end();
}
