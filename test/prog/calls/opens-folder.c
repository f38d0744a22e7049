/*
 * A child opens a folder, and execs. Whoever serves a folder (FUSE) would hear of
 * a child that is taken back, so it is one of storage, or the child is real.
 * Argument: the folder.
 *
 * Test: -l -q "rolled back" opens-folder-of-storage /
 * Test: -g "real: rolled back: .*call 257" opens-folder-of-terminals /dev/pts
 */
#include "t.h"

#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	pid_t pid;

	CHECK(argc == 2);
	if (access(argv[1], R_OK | X_OK) < 0)
		t_skip("the folder is not there");
	t_start(64);
	pid = t_fork();
	if (pid == 0) {
		CHECK(open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) >= 0);
		t_exec_exit(3);
	}
	t_reap(pid, argv[1]);
	return t_end();
}
