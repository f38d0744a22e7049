/*
 * A child that has written something and is stopped by somebody else before
 * it execs: its parent goes on, changes its memory, and the child, continued,
 * still has the memory of the moment of fork.
 *
 * Test:
 */
#include "t.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROOFS 2 /* children by which the site becomes known */

static int told[2], answer[2];

/* Another process, which stops the child as soon as it hears of it. */
static pid_t start_stopper(void)
{
	pid_t pid = fork(), child; /* another site than t_fork */

	if (pid != 0)
		return pid;
	CHECK(read(told[0], &child, sizeof(child)) == sizeof(child));
	CHECK(!kill(child, SIGSTOP));
	CHECK(write(answer[1], "", 1) == 1);
	_exit(0);
}

static void spin_ms(volatile unsigned *counter, unsigned long rounds)
{
	while (rounds--)
		(*counter)++;
}

static void child_runs(int last)
{
	pid_t self = getpid();
	volatile unsigned counter = 0;

	CHECK(write(told[1], &self, sizeof(self)) == sizeof(self));
	if (last)
		spin_ms(&counter, 600000000);
	t_area[5] ^= 1;
	t_exec_exit(t_intact(t_area + 4096, t_area_bytes - 4096) &&
				    t_intact(t_block(3), T_BLOCK) ?
			    7 :
			    8);
}

int main(void)
{
	pid_t pid = -1, stopper = -1, ignored;
	int status;
	char c;

	CHECK(!pipe(told) && !pipe(answer));
	t_start(96);
	for (int i = 0; i <= PROOFS; i++) {
		if (i == PROOFS)
			stopper = start_stopper();
		pid = t_fork();
		if (pid == 0)
			child_runs(i == PROOFS);
		if (i < PROOFS) {
			CHECK(read(told[0], &ignored, sizeof(ignored)) ==
			      sizeof(ignored));
			t_reap(pid, "known");
		}
	}
	CHECK(read(answer[0], &c, 1) == 1);
	t_reap(stopper, "stopper");
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	printf("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status));
	memset(t_area, 0xee, t_area_bytes);
	CHECK(!kill(pid, SIGCONT));
	t_reap(pid, "stopped");
	t_fill(t_area, t_area_bytes);
	return t_end();
}
