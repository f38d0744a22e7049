/*
 * A spawn that fails has made one child, or none: in a pid namespace of its
 * own the number of the next one tells. And the error of a stack that can't
 * be had is the kernel's.
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
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char *argv[] = { "report", "exit", "3", NULL };
static posix_spawn_file_actions_t fa;

static int nothing(void *unused)
{
	(void)unused;
	_exit(0);
}

/* A child that nobody makes for it: its pid is the next one. */
static pid_t next_pid(void)
{
	static _Alignas(16) char stack[16384];
	pid_t pid = clone(nothing, stack + sizeof(stack),
			  CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

	CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
	return pid;
}

static void fails(const char *what)
{
	pid_t before = next_pid(), pid = -1;
	int rc = posix_spawn(&pid, t_report, &fa, NULL, argv, environ);

	if (!rc)
		waitpid(pid, NULL, 0);
	dprintf(1, "%s: %s, %d children\n", what, strerrorname_np(rc),
		next_pid() - before - 1);
	CHECK(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawn_file_actions_init(&fa);
}

static void as_init(void)
{
	struct rlimit limit;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	posix_spawn_file_actions_addchdir_np(&fa, "/nonexistent");
	fails("a step behind it");
	posix_spawn_file_actions_adddup2(&fa, 900, 1);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	fails("not open");
	posix_spawn_file_actions_addclose(&fa, 900);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	fails("not open to be closed");
	posix_spawn_file_actions_addclose(&fa, 900);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = 100;
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	fails("above the limit");
	/* there it is open, and closed */
	limit.rlim_cur = 1000;
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	CHECK(dup2(0, 900) == 900);
	posix_spawn_file_actions_addclose(&fa, 900);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	limit.rlim_cur = 100;
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	fails("open above the limit");
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/dev", "tmpfs", 0, NULL))
		return;
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	fails("no /dev/null");
	/* one that leads to what is closed: to be told, it takes another */
	CHECK(!symlink("/proc/self/fd/900", "/dev/null"));
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	CHECK(!posix_spawn(&pid, t_report, &fa, NULL, argv, environ));
	t_reap(pid, "/dev/null is a descriptor");
	posix_spawn_file_actions_destroy(&fa);
	close(900);
}

static void in_namespace(void)
{
	int flags = CLONE_NEWPID | (geteuid() ? CLONE_NEWUSER : 0), status;
	pid_t pid;

	if (prctl(PR_GET_SECCOMP) != 0)
		t_skip("who asks what a filter allows is a child, too");
	fflush(stdout);
	if (unshare(flags))
		t_skip("no pid namespace to be had");
	pid = fork();
	if (pid == 0) {
		as_init();
		_exit(5);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	printf("init: %#x\n", (unsigned)status);
}

/* Who may lock little, and locks all there will be, gets EAGAIN. */
static void no_stack(void)
{
	struct rlimit limit = { 8192, 8192 };
	pid_t pid = fork(), child = -1;
	int rc;

	if (pid == 0) {
		if (setrlimit(RLIMIT_MEMLOCK, &limit) ||
		    (geteuid() == 0 && setresuid(65534, 65534, 65534)) ||
		    mlockall(MCL_FUTURE))
			_exit(77);
		rc = posix_spawn(&child, t_report, NULL, NULL, argv, environ);
		munlockall();
		dprintf(1, "no stack: %s\n", strerrorname_np(rc));
		_exit(6);
	}
	t_reap(pid, "locked");
}

int main(void)
{
	t_start(1);
	no_stack();
	in_namespace();
	return 0;
}
