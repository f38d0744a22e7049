#include "calls/request.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "arch/arch.h"
#include "host/signals.h"

/* Not CLONE_PARENT_SETTID: a child that was taken back has left its number in
 * its parent's memory, where the next one would find it. */
#define FLAGS_WE_KNOW \
	((unsigned long)(CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))

bool ff_parse_request(const ucontext_t *uc, long nr,
		      struct ff_request *ret_request)
{
	const struct clone_args *args = (const void *)ff_arg(uc, 0);
	struct ff_request *ret = ret_request;

	memset(ret, 0, sizeof(*ret));
	switch (nr) {
	case SYS_fork:
		ret->exit_signal = SIGCHLD;
		return true;
	case SYS_clone:
		ret->flags =
			(unsigned long)ff_arg(uc, 0) & ~(unsigned long)CSIGNAL;
		ret->exit_signal = (unsigned long)ff_arg(uc, 0) & CSIGNAL;
		ret->stack = (uintptr_t)ff_arg(uc, 1);
		ret->parent_tid = ff_arg(uc, 2);
		ret->child_tid = ff_arg(uc, 3);
		break;
	case SYS_clone3:
		if ((size_t)ff_arg(uc, 1) != sizeof(*args) ||
		    !ff_may_read_word(args) ||
		    !ff_may_read_word((const char *)(args + 1) - 8) ||
		    args->stack || args->set_tid_size)
			return false;
		ret->flags = args->flags;
		ret->exit_signal = args->exit_signal;
		ret->parent_tid = (long)args->parent_tid;
		ret->child_tid = (long)args->child_tid;
		break;
	default:
		return false;
	}
	return (ret->flags & ~FLAGS_WE_KNOW) == 0 &&
	       ret->exit_signal == SIGCHLD;
}
