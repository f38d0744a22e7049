/*
 * A program keeps what it likes where its arguments were.
 *
 * Test: -l -f
 */
#include "t.h"

#include <unistd.h>

int main(int argc, char *argv[])
{
	pid_t pid;

	t_start(32);
	while (argc-- > 0)
		argv[argc] = (char *)8;
	for (int i = 0; i < 3; i++) {
		pid = t_fork();
		if (pid == 0)
			t_exec_exit(i);
		t_reap(pid, "child");
	}
	return t_end();
}
