/*
 * Argument exec or exit. Changes of the file system by the child are made
 * exactly once: O_CREAT|O_EXCL, O_TRUNC, mkdir, rename, link, unlink,
 * symlink, mkfifo, chmod, a lock on a shared description.
 *
 * Test: files-made-{exec,exit} {}
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *how;

static _Noreturn void end(int code)
{
	if (!strcmp(how, "exit"))
		_exit(code);
	t_exec_exit(code);
}

static int make(const char *name, int flags)
{
	int fd = open(name, flags | O_CLOEXEC, 0640);

	return fd < 0 ? errno : 0;
}

static int act(int i, int fd)
{
	switch (i) {
	case 0:
		return make("excl", O_CREAT | O_EXCL | O_WRONLY);
	case 1:
		return make("trunc", O_TRUNC | O_WRONLY);
	case 2:
		return mkdir("dir", 0700) ? errno : 0;
	case 3:
		return rename("old", "new") ? errno : 0;
	case 4:
		return link("trunc", "linked") ? errno : 0;
	case 5:
		return unlink("linked") ? errno : 0;
	case 6:
		return symlink("x", "sym") ? errno : 0;
	case 7:
		return mkfifo("fifo", 0600) ? errno : 0;
	case 8:
		return rmdir("dir") ? errno : 0;
	case 9:
		return flock(fd, LOCK_EX | LOCK_NB) ? errno : 0;
	case 10:
		return creat("made", 0600) < 0 ? errno : 0;
	case 11:
		return make("excl2", O_CREAT | O_EXCL) +
		       make("excl3", O_CREAT | O_EXCL);
	case 12:
		return renameat(AT_FDCWD, "excl2", AT_FDCWD, "excl3") ? errno :
									0;
	default:
		return chmod("new", 0604) ? errno : 0;
	}
}

int main(int argc, char **argv)
{
	struct stat st;
	int fd, other;

	how = argc > 1 ? argv[1] : "exec";
	fd = open("trunc", O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0 && write(fd, "long", 4) == 4);
	CHECK(make("old", O_CREAT) == 0);
	t_start(64);
	for (int i = 0; i < 14; i++) {
		pid_t pid = t_fork();

		if (pid == 0)
			end(act(i, fd));
		printf("%d ", i);
		t_reap(pid, "child");
	}
	CHECK(!fstat(fd, &st));
	printf("truncated to %ld, links %d\n", (long)st.st_size,
	       (int)st.st_nlink);
	CHECK(!stat("new", &st));
	printf("mode %o\n", st.st_mode & 0777);
	printf("excl %d\n", !stat("excl", &st));
	printf("excl2 %d\n", !stat("excl2", &st));
	/* the lock belongs to the description, which the parent still has */
	other = open("trunc", O_RDWR);
	printf("locked %d\n", flock(other, LOCK_EX | LOCK_NB) ? errno : 0);
	close(other);
	return t_end();
}
