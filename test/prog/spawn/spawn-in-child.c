/*
 * Spawns by children that have not exec'ed: of vfork, which run in their
 * parent's memory, and of fork, which may be lazy ones. posix_spawn, system,
 * popen, and the linked library; then the child ends, or execs itself.
 * Argument: rounds.
 *
 * Test:
 */
#include "t.h"

#include "flatfork/flatfork.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the children found; shared with those of fork, too. */
static struct found {
	int rc, status;
	char text[16];
} * found;

static void by_posix_spawn(void)
{
	char *argv[] = { "report", "exit", "3", NULL };
	pid_t pid = -1;

	found->rc = posix_spawn(&pid, t_report, NULL, NULL, argv, environ);
	if (waitpid(pid, &found->status, 0) != pid)
		found->rc = -errno;
}

static void by_actions(void)
{
	char *argv[] = { "report", "exit", "5", NULL };
	posix_spawn_file_actions_t fa;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, 1, 7);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	found->rc = posix_spawnp(&pid, t_report, &fa, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	if (waitpid(pid, &found->status, 0) != pid)
		found->rc = -errno;
}

static void by_error(void)
{
	char *argv[] = { "x", NULL };
	pid_t pid = -1;

	found->rc =
		posix_spawn(&pid, "/nonexistent", NULL, NULL, argv, environ);
	found->status = waitpid(-1, NULL, WNOHANG) < 0 ? errno : 0;
}

static void by_system(void)
{
	found->status = system("exit 4");
}

static void by_popen(void)
{
	FILE *f = popen("echo hello", "r");

	if (!f || !fgets(found->text, sizeof(found->text), f))
		found->rc = errno;
	if (f)
		found->status = pclose(f);
}

static void by_flatfork(void)
{
	char *argv[] = { "report", "exit", "6", NULL };
	struct flatfork_child child = { -1, -1 };

	found->rc = flatfork_start(NULL, t_report, argv, environ, &child, NULL);
	if (waitpid(child.pid, &found->status, 0) != child.pid)
		found->rc = -errno;
}

static const struct {
	const char *name;
	void (*spawn)(void);
} ways[] = {
	{ "posix_spawn", by_posix_spawn },
	{ "closefrom", by_actions },
	{ "error", by_error },
	{ "system", by_system },
	{ "popen", by_popen },
	{ "flatfork_start", by_flatfork },
};

enum {
	WAYS = sizeof(ways) / sizeof(*ways)
};

static void tell(const char *who, int way, pid_t pid)
{
	char what[64];

	snprintf(what, sizeof(what), "%s, %s", who, ways[way].name);
	t_reap(pid, what);
	printf("  it found: %d, status %#x, \"%.5s\"\n", found->rc,
	       (unsigned)found->status, found->text);
	memset(found, 0, sizeof(*found));
}

static void end(bool execs)
{
	if (execs)
		execl(t_report, "report", "exit", "9", (char *)NULL);
	_exit(8);
}

static void in_vfork(int way, bool execs)
{
	pid_t pid = vfork();

	if (pid == 0) {
		ways[way].spawn();
		end(execs);
	}
	CHECK(pid > 0);
	tell("vfork", way, pid);
}

static void in_fork(int way, bool execs)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		ways[way].spawn();
		end(execs);
	}
	tell("fork", way, pid);
}

/* A child of fork whose child of vfork spawns. */
static void in_both(int way, bool execs)
{
	pid_t pid = t_fork(), inner;
	int status;

	if (pid == 0) {
		inner = vfork();
		if (inner == 0) {
			ways[way].spawn();
			_exit(8);
		}
		if (waitpid(inner, &status, 0) != inner || status != 8 << 8)
			_exit(T_FAILED);
		end(execs);
	}
	tell("vfork in fork", way, pid);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 3;

	t_start(32);
	found = t_shared(sizeof(*found));
	for (int round = 0; round < rounds; round++)
		for (int way = 0; way < WAYS; way++) {
			in_vfork(way, round % 2);
			in_fork(way, round % 2);
			in_both(way, round % 2);
		}
	return t_end();
}
