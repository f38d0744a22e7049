/* What a trapped system call asks for, if it is one that forks. */
#ifndef FF_CALLS_REQUEST_H
#define FF_CALLS_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

struct ff_request {
	unsigned long flags; /* without the exit signal */
	unsigned long exit_signal;
	uintptr_t stack; /* 0: the caller's */
	long parent_tid, child_tid;
};

/* False: it is not a fork, or one with more to it than fork() has. */
bool ff_parse_request(const ucontext_t *uc, long nr,
		      struct ff_request *ret_request);

#endif
