/*
 * Path strings in absent memory that lie across a page border, across a 64
 * KiB border, at the very end of a mapping before PROT_NONE or a hole, or
 * across two mappings: open, stat, readlink, chdir, access, execve. A bad
 * pointer is EFAULT as ever. Each child execs.
 *
 * Test: -l
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	MIB = 1 << 20
};

static char long_path[600];

static char *put(char *at, const char *text)
{
	return strcpy(at, text);
}

static void try(const char *where, char *path, char *result)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		struct stat *st = (struct stat *)result;
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		char c = 0;
		int ok = fd >= 0 && read(fd, &c, 1) == 1 && c == '!';

		ok += 2 * !stat(path, st);
		ok += 4 * (st->st_size == 5);
		ok += 8 * !access(path, R_OK);
		ok += 16 * (readlink("link", result + 70000, 600) ==
			    (ssize_t)strlen(long_path));
		ok += 32 * !memcmp(result + 70000, long_path, 40);
		ok += 64 * (getcwd(result + 140000, 4096) != NULL);
		t_exec_say("%s: %d", where, ok);
	}
	t_reap(pid, where);
}

static void exec_from(char *area)
{
	char *exec_path = put(area + 6 * MIB - 3, t_report);
	pid_t pid = t_fork();
	if (pid == 0) {
		char **args = (char **)(area + 6 * MIB + 131072 - 8);

		args[0] = put(area + 100, "report");
		args[1] = put(area + MIB, "say");
		args[2] = put(area + 6 * MIB + 300000, "exec from afar");
		args[3] = NULL;
		execv(exec_path, args);
		_exit(1);
	}
	t_reap(pid, "execve");
}

static void try_bad_pointers(char *none, char *hole)
{
	pid_t pid = t_fork();
	if (pid == 0) {
		char *bad[] = { none, hole, (char *)1,
				(char *)-4096 };
		int e[8];

		for (int i = 0; i < 4; i++) {
			e[i] = syscall(SYS_openat, AT_FDCWD, bad[i], O_RDONLY) <
					       0 ?
				       errno :
				       0;
			e[4 + i] = syscall(SYS_execve, bad[i], NULL, NULL) < 0 ?
					   errno :
					   0;
		}
		t_exec_say("bad pointers: %d %d %d %d %d %d %d %d", e[0], e[1],
			   e[2], e[3], e[4], e[5], e[6], e[7]);
	}
	t_reap(pid, "bad pointers");
}

int main(void)
{
	char *area, *two;
	int fd;

	t_start(64);
	memset(long_path, '/', 300);
	long_path[0] = '.';
	strcpy(long_path + 300, "the-file");
	fd = open("the-file", O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0 && write(fd, "!file", 5) == 5 && !close(fd));
	CHECK(!symlink(long_path, "link"));

	area = t_anon(8 * MIB);
	two = t_anon(4 * MIB);
	CHECK(!munmap(two + 3 * MIB, MIB));
	CHECK(!mprotect(area + 7 * MIB, MIB, PROT_NONE));
	try("page border", put(area + MIB + 4096 - 100, long_path),
	    area + 5 * MIB - 30);
	try("cluster border", put(area + 2 * MIB + 65536 - 5, long_path),
	    area + 5 * MIB - 300);
	try("end before PROT_NONE",
	    put(area + 7 * MIB - strlen(long_path) - 1, long_path),
	    (char *)t_area);
	t_fill(t_area, 256 << 10);
	try("end before a hole",
	    put(two + 3 * MIB - strlen(long_path) - 1, long_path),
	    area + 4 * MIB + 70000);
	CHECK(mprotect(area + 3 * MIB + 4096, 8192, PROT_READ | PROT_EXEC) ==
	      0);
	try("across two mappings",
	    put(area + 3 * MIB + 4096 - 20, "./////////the-file"),
	    area + 4 * MIB + 70000);

	exec_from(area);
	try_bad_pointers(area + 7 * MIB, two + 3 * MIB);
	CHECK(!munmap(area, 8 * MIB) && !munmap(two, 3 * MIB));
	return t_end();
}
