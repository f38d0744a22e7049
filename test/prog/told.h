/* A process beside a parent that vfork suspends: it is made before, hears from the
 * child who that is, and signals it. It ends with the parent. */
#ifndef TOLD_H
#define TOLD_H

#include "t.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

static int told[2]; /* a pipe: make it first, and close told[1] at the end */

/* @sig, a moment after it was told; SIGKILL @kill_after_ms later, if not 0. */
static inline pid_t told_process(int sig, int kill_after_ms)
{
	pid_t pid = fork(), child;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(told[1]);
		CHECK(read(told[0], &child, sizeof(child)) == sizeof(child));
		t_sleep_ms(50);
		CHECK(!kill(child, sig));
		if (kill_after_ms) {
			t_sleep_ms(kill_after_ms);
			kill(child, SIGKILL);
		}
		_exit(0);
	}
	close(told[0]);
	return pid;
}

/* By the child. */
static inline void tell_who_i_am(void)
{
	const pid_t self = getpid();

	if (write(told[1], &self, sizeof(self)) != sizeof(self))
		_exit(90);
}

#endif
