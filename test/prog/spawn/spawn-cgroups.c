/*
 * Children born into a cgroup, by posix_spawnattr_setcgroup_np where libc has
 * it, and by the linked library, by descriptor and by path,
 * of version 2 and 1. Needs root and a hierarchy: one that is mounted, or
 * version 2 mounted in a namespace of its own.
 */
#include "t.h"

#include "flatfork/flatfork.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SETCGROUP 0x100 /* glibc 2.39's */

enum {
	PATH_BYTES = 512
};

static char made[2][PATH_BYTES]; /* of version 2, of version 1; or "" */
static char own[32];		 /* the name of both */
static char dir[32];		 /* where version 2 was mounted; or "" */
static int group_fd;

/* ---- the groups ---- */

static bool make_in(const char *where, char *ret_path)
{
	int n = snprintf(ret_path, PATH_BYTES, "%s/%s", where, own);

	if (n < PATH_BYTES && !mkdir(ret_path, 0755))
		return true;
	*ret_path = '\0';
	return false;
}

static void make_where_mounted(void)
{
	char where[448], type[32];
	FILE *f = fopen("/proc/self/mounts", "re");

	while (f && fscanf(f, "%*s %447s %31s %*[^\n]", where, type) == 2) {
		if (!*made[0] && !strcmp(type, "cgroup2"))
			make_in(where, made[0]);
		/* others may want settings before they take a process */
		if (!*made[1] && !strcmp(type, "cgroup") &&
		    (strstr(where, "/pids") || strstr(where, "/freezer")))
			make_in(where, made[1]);
	}
	if (f)
		fclose(f);
}

static void make_groups(void)
{
	snprintf(own, sizeof(own), "flatfork-%d", (int)getpid());
	make_where_mounted();
	if (*made[0])
		return;
	strcpy(dir, "/tmp/spawn-cgroups.XXXXXX");
	CHECK(mkdtemp(dir));
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", dir, "cgroup2", 0, NULL) || !make_in(dir, made[0])) {
		rmdir(dir);
		t_skip("no cgroup of version 2 can be made here");
	}
}

/* The kernel lets go of a group some moments after its last process. */
static void remove_groups(void)
{
	for (int i = 0; i < 2; i++)
		for (int turn = 0; turn < 100 && *made[i]; turn++) {
			if (!rmdir(made[i]))
				break;
			t_sleep_ms(20);
		}
	if (*dir) {
		umount2(dir, MNT_DETACH);
		rmdir(dir);
	}
}

/* ---- what the children say ---- */

static int out[2];
static char *script[] = { "sh", "-c", "exec cat /proc/self/cgroup", NULL };

/* Is it in the group of that version, and in no other? */
static void look(const char *what, int rc, pid_t pid, int version)
{
	char text[4096], *line, *next = text;
	bool in[2] = { false, false };
	ssize_t n = 0, got;

	close(out[1]);
	while ((got = read(out[0], text + n, sizeof(text) - 1 - (size_t)n)) > 0)
		n += got;
	text[n] = '\0';
	close(out[0]);
	while ((line = strsep(&next, "\n")))
		if (strstr(line, own))
			in[strncmp(line, "0:", 2) != 0] = true;
	printf("%s: %s\n", what, rc ? strerrorname_np(rc) : "started");
	if (rc) {
		CHECK(waitpid(-1, NULL, WNOHANG | __WALL) == -1);
		return;
	}
	CHECK(in[version != 2] && !in[version == 2]);
	t_reap(pid, what);
}

/* ---- posix_spawn ---- */

static int (*setcgroup)(posix_spawnattr_t *, int);
static int (*getcgroup)(const posix_spawnattr_t *, int *);

static void by_posix(const char *what, int fd, bool closing)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	int rc, got = -2;
	pid_t pid = -1;

	CHECK(!pipe2(out, O_CLOEXEC));
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, out[1], 1);
	if (closing)
		posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	posix_spawnattr_init(&at);
	CHECK(!posix_spawnattr_setflags(&at, SETCGROUP));
	CHECK(!setcgroup(&at, fd));
	CHECK(!getcgroup(&at, &got) && got == fd);
	rc = posix_spawn(&pid, "/bin/sh", &fa, &at, script, environ);
	look(what, rc, pid, 2);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&at);
}

static void posix_ones(void)
{
	setcgroup = (__typeof__(setcgroup))dlsym(
		RTLD_DEFAULT, "posix_spawnattr_setcgroup_np");
	getcgroup = (__typeof__(getcgroup))dlsym(
		RTLD_DEFAULT, "posix_spawnattr_getcgroup_np");
	if (!setcgroup || !getcgroup)
		return;
	by_posix("posix_spawn", group_fd, false);
	by_posix("posix_spawn, closefrom", group_fd, true);
	by_posix("posix_spawn, no descriptor", -1, false);
	by_posix("posix_spawn, no group", 0, false);
}

/* ---- the linked library ---- */

static void by_library(const char *what, int fd, const char *path, int version)
{
	struct flatfork_spawn *how = flatfork_spawn_new();
	struct flatfork_child child = { -1, -1 };
	struct flatfork_error error;
	int rc;

	CHECK(how && !pipe2(out, O_CLOEXEC));
	flatfork_spawn_dup2(how, out[1], 1);
	flatfork_spawn_pidfd(how, true);
	if (path)
		CHECK(!flatfork_spawn_cgroup_path(how, path));
	else
		flatfork_spawn_cgroup_fd(how, fd);
	rc = flatfork_start(how, "/bin/sh", script, environ, &child, &error);
	look(what, rc, child.pid, version);
	if (rc)
		printf("  %s\n", error.text);
	else
		close(child.pidfd);
	flatfork_spawn_free(how);
}

static void library_ones(void)
{
	by_library("flatfork_start, descriptor", group_fd, NULL, 2);
	by_library("flatfork_start, path", -1, made[0], 2);
	if (*made[1])
		by_library("flatfork_start, path of version 1", -1, made[1], 1);
	by_library("flatfork_start, no group", 0, NULL, 2);
	by_library("flatfork_start, no path", -1, "/nonexistent", 2);
	/* version 1 is asked for by what is no group at all */
	by_library("flatfork_start, not a group", -1, "/", 2);
}

int main(void)
{
	if (geteuid())
		t_skip("only root may make cgroups");
	t_start(1);
	make_groups();
	group_fd = open(made[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(group_fd >= 0);
	posix_ones();
	library_ones();
	remove_groups();
	by_library("flatfork_start, a group that is gone", group_fd, NULL, 2);
	close(group_fd);
	return t_end();
}
