/*
 * A parent puts its child into a group of its own, without waiting for it, in
 * the time that the child takes before it execs. It is in time with plain
 * fork, but for the first children of a place that forks; those are not told
 * of. With "both" the child goes there itself as well, as those of shells do.
 *
 * Test: -b 20000 -g "real: parents here change their children before exec"
 * Test: -l -e FLATFORK_LEND=off parent-sets-group-both both
 */
#include "t.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CHILDREN = 8,
	UNTOLD = 4,
	SPINS = 400000000
};

static volatile int *came;

/* The parent, or the end of patience: about half a second. */
static void wait_for_parent(int n)
{
	for (int i = 0; i < SPINS && *came <= n; i++)
		;
}

int main(int argc, char **argv)
{
	bool both = argc > 1 && !strcmp(argv[1], "both");

	t_start(48);
	came = t_shared(4096);
	for (int i = 0; i < CHILDREN; i++) {
		int rc, status;
		pid_t pid = fork();

		if (pid == 0) {
			if (both)
				CHECK(!setpgid(0, 0));
			else
				wait_for_parent(i);
			t_exec_exit(0);
		}
		CHECK(pid > 0);
		errno = 0;
		/* The kernel wakes us in the midst of its execve. */
		t_sleep_ms(both ? 0 : 20);
		rc = setpgid(pid, pid);
		*came = i + 1;
		CHECK(waitpid(pid, &status, 0) == pid);
		if (both)
			CHECK(rc == 0 || errno == EACCES);
		else if (i >= UNTOLD)
			printf("setpgid %d %s, child %x\n", rc, strerror(errno),
			       status);
	}
	return t_end();
}
