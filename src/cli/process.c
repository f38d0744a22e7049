/*
 * What can be found out of another process, as it would find it itself.
 *
 * Rules: what it names may be anything, and it may be in a tree of its own: a
 * name is looked up in there, links too, and only a file is opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/cli.h"
#include "tell/config.h"

#define PF_KTHREAD 0x00200000UL /* linux/sched.h, shown by /proc */
#define FLAGS_FIELD 7		/* behind the name */

/* Where openat2 is not to be had, a link at the end of a name leads nowhere. */
static int find_in(int folder, const char *path)
{
	const struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = *path == '/' ? RESOLVE_IN_ROOT : 0,
	};
	int fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = openat(folder, path + strspn(path, "/"),
			    O_PATH | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

static int find_as(long pid, const char *path)
{
	char text[64];
	int folder, fd;

	snprintf(text, sizeof(text), "/proc/%ld/%s", pid,
		 *path == '/' ? "root" : "cwd");
	folder = open(text, O_PATH | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	fd = find_in(folder, path);
	close(folder);
	return fd;
}

/* To open a pipe or a device is to do something to it. */
static bool is_file(int fd)
{
	struct stat st, null;

	if (fstat(fd, &st))
		return false;
	return S_ISREG(st.st_mode) ||
	       (S_ISCHR(st.st_mode) && !stat("/dev/null", &null) &&
		S_ISCHR(null.st_mode) && st.st_rdev == null.st_rdev);
}

long cli_open_as(long pid, const char *path)
{
	const int found = find_as(pid, path);
	char text[64];
	long fd = -EBADF;

	if (found < 0)
		return found;
	snprintf(text, sizeof(text), "/proc/self/fd/%d", found);
	if (is_file(found)) {
		fd = open(text, FF_CONFIG_OPEN);
		fd = fd < 0 ? -errno : fd;
	}
	close(found);
	return fd;
}

bool cli_is_kernels(long pid)
{
	char text[1024], *at;
	size_t n;
	FILE *in;

	snprintf(text, sizeof(text), "/proc/%ld/stat", pid);
	in = fopen(text, "re");
	n = in ? fread(text, 1, sizeof(text) - 1, in) : 0;
	text[n] = '\0';
	if (in)
		fclose(in);
	at = strrchr(text, ')');
	for (int i = 0; at && i < FLAGS_FIELD; i++)
		at = strchr(at + 1, ' ');
	return at && strtoul(at, NULL, 10) & PF_KTHREAD;
}
