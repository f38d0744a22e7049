/*
 * How many descriptors a child has, by the size of their folder (Linux 6.2),
 * and which, by all kinds of names: without those of a lazy child. Then exec.
 *
 * Test: -l
 */
#include "t.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	FDS = 1200
};

static long sizes(void)
{
	int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
	struct stat a = { 0 }, b = { 0 };
	struct statx x = { 0 };

	CHECK(!fstat(fd, &a) && !stat("/proc/self/fd", &b));
	CHECK(!statx(AT_FDCWD, "/proc/self/fd", 0, STATX_BASIC_STATS, &x));
	CHECK(!close(fd));
	return a.st_size * 10000 + b.st_size * 100 + (long)x.stx_size;
}

/* A folder of the same, which is not known for it. */
static long sizes_of_thread(void)
{
	struct stat a = { 0 };

	CHECK(!stat("/proc/thread-self/fd", &a));
	return a.st_size;
}

static long count(const char *from, const char *before)
{
	struct stat s;
	char name[64];
	long n = 0;
	int i;

	CHECK(!chdir(from));
	for (i = 3; i < FDS; i++) {
		snprintf(name, sizeof(name), "%s%d", before, i);
		n += !lstat(name, &s) || !access(name, F_OK);
	}
	return n;
}

static long in_folder(void)
{
	return count("/proc/self/fd", "");
}

static long in_proc(void)
{
	return count("/proc", "self/fd/");
}

static long roundabout(void)
{
	return count("/", "/./proc/self/task/../fd/");
}

static long by_info(void)
{
	return count("/proc/self", "fdinfo/");
}

static long by_directory(void)
{
	int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY), i;
	char name[16];
	long n = 0;

	for (i = 3; i < FDS; i++) {
		snprintf(name, sizeof(name), "%d", i);
		n += !faccessat(fd, name, F_OK, 0);
	}
	return n;
}

int main(void)
{
	static long (*const way[])(
		void) = { sizes,   sizes,      sizes_of_thread, in_folder,
			  in_proc, roundabout, by_info,		by_directory };
	size_t i;

	t_start(32);
	for (i = 0; i < sizeof(way) / sizeof(*way); i++) {
		pid_t pid = t_fork();

		if (pid == 0)
			t_exec_say("way %zu: %ld", i, way[i]());
		t_reap(pid, "child");
	}
	return t_end();
}
