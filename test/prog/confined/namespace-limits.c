/*
 * Where a namespace of each kind is the last that may be made, a child makes
 * one, says so, and ends: the one that the program sees has made it, whoever
 * tried before.
 *
 * Test:
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (long)strlen(text))
		t_skip("no limits of namespaces");
	close(fd);
}

static void makes(int kind, const char *name)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		int rc = unshare(kind);

		printf("%s: %s\n", name, rc ? strerror(errno) : "made");
		fflush(stdout);
		_exit(0);
	}
	t_reap(pid, "child");
}

int main(void)
{
	char map[64];

	snprintf(map, sizeof(map), "0 %u 1", geteuid());
	if (unshare(CLONE_NEWUSER))
		t_skip("no user namespaces");
	put("/proc/self/uid_map", map);
	put("/proc/sys/user/max_net_namespaces", "1");
	put("/proc/sys/user/max_user_namespaces", "1");
	t_start(32);
	makes(CLONE_NEWNET, "net");
	makes(CLONE_NEWUSER, "user");
	return t_end();
}
