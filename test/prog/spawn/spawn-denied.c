/*
 * Every system call that a spawn makes fails once, in parent or child: the
 * error comes back, or the call was not needed; no child, no descriptor is
 * left, signals are as before. Each in a copy of this process, under a filter.
 *
 * Test: spawn-denied $<TARGET_FILE:noop>
 */
#include "deny.h"
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

static posix_spawn_file_actions_t fa;
static posix_spawnattr_t at;

/* What libc and we do by different calls is denied together. */
static const struct {
	const char *what;
	bool error_known; /* else: it is a matter of how, not of what */
} cases[] = {
	{ "clone3=ENOSYS", true },
	{ "clone3=EAGAIN,clone=EAGAIN,vfork=EAGAIN,fork=EAGAIN", true },
	{ "clone3=ENOMEM,clone=ENOMEM,vfork=ENOMEM,fork=ENOMEM", true },
	{ "clone3=EPERM,clone=EPERM,vfork=EPERM,fork=EPERM", true },
	{ "clone3=ENOSYS,clone=EINVAL", false },
	{ "clone3=EPERM", false },
	{ "clone3=EINVAL", false },
	{ "dup2=EMFILE,dup3=EMFILE", true },
	{ "dup2=EINTR,dup3=EINTR", false },
	{ "chdir=EACCES", true },
	{ "fchdir=EACCES", true },
	{ "setsid=EPERM", true },
	{ "setpgid=EPERM", true },
	{ "setresuid=EPERM,setreuid=EPERM,setuid=EPERM", true },
	{ "setresgid=EPERM,setregid=EPERM,setgid=EPERM", true },
	{ "sched_setscheduler=EPERM", true },
	{ "sched_setparam=EPERM", true },
	{ "execve=EACCES,execveat=EACCES", true },
	{ "execve=ENOMEM,execveat=ENOMEM", true },
	{ "open=EMFILE,openat=EMFILE", true },
	{ "close_range=ENOSYS", false },
	{ "close_range=EPERM", false },
	{ "close_range=EINVAL", false },
	{ "ioctl=ENOTTY", true },
	{ "mmap=ENOMEM", false },
	{ "munmap=EINVAL", false },
	{ "mprotect=ENOMEM", false },
	{ "prctl=EPERM", false },
	{ "rt_sigaction=EINVAL", false },
	{ "fcntl=EPERM", false },
	{ "prlimit64=EPERM,getrlimit=EPERM", false },
	{ "getpgid=EPERM,getpgrp=EPERM", false },
};

/* One with everything that does not make a good program fail. */
static void describe(int way)
{
	static const short flags[] = {
		POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
			POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_RESETIDS,
		0x80 | POSIX_SPAWN_SETSCHEDULER,
		POSIX_SPAWN_SETSCHEDPARAM,
		0,
	};

	CHECK(!posix_spawn_file_actions_init(&fa));
	CHECK(!posix_spawnattr_init(&at));
	CHECK(!posix_spawnattr_setflags(&at, flags[way]));
	if (way == 3)
		return;
	posix_spawn_file_actions_addopen(&fa, 5, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&fa, 5, 6);
	posix_spawn_file_actions_addclose(&fa, 5);
	if (way == 0)
		posix_spawn_file_actions_addchdir_np(&fa, "/");
	if (way == 1)
		posix_spawn_file_actions_addfchdir_np(&fa, 9);
	if (way == 2)
		posix_spawn_file_actions_addclosefrom_np(&fa, 5);
}

static const char *spawn_one(void)
{
	char *argv[] = { "noop", "3", NULL };
	int fd = dup(0), again, status, rc;
	sigset_t before, after;
	pid_t pid = -1;

	close(fd);
	sigprocmask(SIG_SETMASK, NULL, &before);
	rc = posix_spawn(&pid, getenv("T_NOOP"), &fa, &at, argv, environ);
	sigprocmask(SIG_SETMASK, NULL, &after);
	CHECK(!memcmp(&before, &after, 8));
	if (!rc)
		CHECK(waitpid(pid, &status, 0) == pid && status == 3 << 8);
	CHECK(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
	again = dup(0);
	CHECK(again == fd);
	close(again);
	return rc ? strerrorname_np(rc) : "started";
}

static void one(const char *what, bool known, int way)
{
	pid_t pid = t_fork();
	const char *result;

	if (pid == 0) {
		describe(way);
		if (way % 2)
			spawn_one(); /* what is kept for later is there */
		if (deny(what))
			_exit(77);
		result = spawn_one();
		printf("%s, %d: %s\n", what, way, known ? result : "clean");
		fflush(stdout);
		_exit(0);
	}
	t_reap(pid, "copy");
}

int main(int argc, char **argv)
{
	CHECK(argc > 1);
	setenv("T_NOOP", argv[1], 1);
	t_start(4);
	CHECK(dup2(open("/", O_RDONLY | O_DIRECTORY), 9) == 9);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int way = 0; way < 4; way++)
			one(cases[i].what, cases[i].error_known, way);
	close(9);
	return 0;
}
