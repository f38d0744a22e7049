/*
 * Parent and child have one processor, and whoever has it keeps it until he
 * gives it up himself. Argument: the policy. The child gives it up when its
 * parent has come back from fork.
 *
 * Test: keeps-processor-{fifo,round_robin,resets} {}
 */
#include "t.h"

#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	FORKS = 6,
	LIMIT_S = 3
};

static void keep_processor(int policy)
{
	const struct sched_param some = { .sched_priority = 10 };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one) ||
	    sched_setscheduler(0, policy, &some))
		t_skip("may not have a processor for itself");
}

/* Does it come while there is time? */
static bool comes(volatile int *go)
{
	struct timespec now, since;

	clock_gettime(CLOCK_MONOTONIC, &since);
	do {
		if (*go)
			return true;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec - since.tv_sec < LIMIT_S);
	return false;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	volatile int *go;
	int i;

	t_start(32);
	go = t_shared(4096);
	keep_processor(!strcmp(how, "fifo") ? SCHED_FIFO :
		       !strcmp(how, "round_robin") ?
					      SCHED_RR :
					      SCHED_FIFO | SCHED_RESET_ON_FORK);
	for (i = 0; i < FORKS; i++) {
		pid_t pid;

		*go = 0;
		pid = t_fork();
		if (pid == 0)
			t_exec_exit(comes(go) ? 3 : 4);
		*go = 1;
		t_reap(pid, "child");
	}
	return t_end();
}
