/* What another process does to a child of vfork, or tells it, while its parent
 * waits. */
#ifndef VFORK_HELPER_H
#define VFORK_HELPER_H

#include "cases.h"

#include <signal.h>
#include <sys/prctl.h>

/* Another process, made before: does what only somebody else can do while
 * the parent is suspended. The child tells it who it is. */
static int told[2];

static inline pid_t helper(void (*help)(pid_t child))
{
	pid_t pid, child;

	CHECK(!pipe(told));
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(told[1]);
		CHECK(read(told[0], &child, sizeof(child)) == sizeof(child));
		t_sleep_ms(50);
		help(child);
		_exit(0);
	}
	close(told[0]);
	return pid;
}

static inline void child_tells(void)
{
	pid_t self = getpid();

	if (write(told[1], &self, sizeof(self)) != sizeof(self))
		_exit(90);
}

static int block[2]; /* what it reads from */

#endif
