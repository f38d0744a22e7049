/* A process puts itself under a seccomp filter that ends who makes other calls. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "cases.h"
#include "deny.h"

#include <unistd.h>

/* What is asked for statistics of the programs it starts is allowed. */
#define NO_QUESTIONS "readlinkat=KILL,madvise=KILL"
#define NO_CALLS                                            \
	NO_QUESTIONS ",getpid=KILL,openat=KILL,prctl=KILL," \
		     "rt_sigprocmask=KILL"

static inline void sandbox(const char *filter)
{
	CHECK(!deny(filter));
}

/* The filter is the child's: the rest of the program is not under it. */
static inline void in_child(void (*run)(void))
{
	pid_t pid = t_fork();

	if (pid == 0) {
		run();
		_exit(9);
	}
	t_reap(pid, "sandboxed");
}

#endif
