/* See ways.h. Each is as short as its interface allows. */
#include "ways.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "flatfork/flatfork.h"

const char *const way_name[WAYS] = { "preload", "flatfork", "glibc", "vfork",
				     "floor" };

static const char *path;
static char *args[] = { "noop", NULL };
static posix_spawn_file_actions_t ours_fa, libc_fa;
static struct flatfork_spawn *plain, *closing;

#define LIBC(name) static __typeof__(&(name)) libc_##name
LIBC(posix_spawn);
LIBC(posix_spawn_file_actions_init);
LIBC(posix_spawn_file_actions_addclosefrom_np);

static _Noreturn void die(const char *what, int error)
{
	fprintf(stderr, "spawn bench: %s: %s\n", what, strerror(error));
	exit(1);
}

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

bool ways_find(const char *child)
{
	void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	if (!libc)
		return false;
#define FIND(name) libc_##name = (__typeof__(libc_##name))dlsym(libc, #name)
	FIND(posix_spawn);
	FIND(posix_spawn_file_actions_init);
	FIND(posix_spawn_file_actions_addclosefrom_np);
	path = child;
	plain = flatfork_spawn_new();
	closing = flatfork_spawn_new();
	if (!plain || !closing)
		die("flatfork_spawn_new", ENOMEM);
	flatfork_spawn_close_from(closing, 3);
	posix_spawn_file_actions_init(&ours_fa);
	posix_spawn_file_actions_addclosefrom_np(&ours_fa, 3);
	libc_posix_spawn_file_actions_init(&libc_fa);
	libc_posix_spawn_file_actions_addclosefrom_np(&libc_fa, 3);
	return libc_posix_spawn != posix_spawn;
}

static pid_t by_vfork(bool closefrom)
{
	pid_t pid = vfork();

	if (pid == 0) {
		if (closefrom)
			close_range(3, ~0U, 0);
		execve(path, args, environ);
		_exit(127);
	}
	return pid;
}

static int floor_child(void *closefrom)
{
	if (closefrom)
		syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_UNSHARE);
	syscall(SYS_execve, path, args, environ);
	_exit(127);
}

/*
 * What is left when everything is left out that can be: no signals, no errors,
 * no mask; memory and descriptors are shared, what is inherited of these is
 * copied by exec. Nothing that starts a program can be faster.
 */
static pid_t by_clone(bool closefrom)
{
	static __thread _Alignas(16) char stack[16384];

	return clone(floor_child, stack + sizeof(stack),
		     CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD,
		     closefrom ? (void *)path : NULL);
}

int64_t ways_one(enum way way, bool closefrom)
{
	posix_spawn_file_actions_t *ours = closefrom ? &ours_fa : NULL;
	posix_spawn_file_actions_t *libc = closefrom ? &libc_fa : NULL;
	struct flatfork_child child = { -1, -1 };
	int64_t from = now_ns();
	int status, rc = 0;

	switch (way) {
	case WAY_PRELOAD:
		rc = posix_spawn(&child.pid, path, ours, NULL, args, environ);
		break;
	case WAY_FLATFORK:
		rc = flatfork_start(closefrom ? closing : plain, path, args,
				    environ, &child, NULL);
		break;
	case WAY_GLIBC:
		rc = libc_posix_spawn(&child.pid, path, libc, NULL, args,
				      environ);
		break;
	case WAY_FLOOR:
		child.pid = by_clone(closefrom);
		break;
	default:
		child.pid = by_vfork(closefrom);
	}
	if (rc || child.pid < 0)
		die(way_name[way], rc ? rc : errno);
	if (waitpid(child.pid, &status, 0) != child.pid || status)
		die("waitpid", errno);
	return now_ns() - from;
}
