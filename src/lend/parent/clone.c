/* Runs in the parent, on the loan's stack. */
#include "lend/parent/clone.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "arch/arch.h"
#include "arch/hot.h"
#include "host/fault.h"
#include "lend/child/borrower.h"
#include "process/filter.h"

#define CHILD_STACK ((uintptr_t)4096) /* as far as clone3 must be told */

/* It is missing or refused here: clone makes it. */
static _Atomic bool no_clone3 FF_HOT;

#define CHILD_FLAGS (CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

bool ff_clone_is_refused(long rc)
{
	return rc == -ENOSYS || rc == -EINVAL || rc == -EPERM;
}

static long by_clone3(struct ff_loan *loan, uintptr_t top)
{
	struct clone_args args = {
		.flags = CHILD_FLAGS | CLONE_CLEAR_SIGHAND,
		.parent_tid = (uintptr_t)&loan->child,
		.child_tid = (uintptr_t)&loan->borrowed,
		.exit_signal = SIGCHLD,
		.stack = top - CHILD_STACK,
		.stack_size = CHILD_STACK,
	};

	if (atomic_load(&no_clone3) || ff_fault(FF_FAULT_NO_CLONE3) ||
	    !ff_filter_allows(FF_ASK_clone3))
		return -ENOSYS;
	return ff_clone3(&args, CLONE_ARGS_SIZE_VER0, ff_borrow, loan);
}

static long by_clone(struct ff_loan *loan, uintptr_t top)
{
	loan->has_handlers = true;
	return ff_clone(CHILD_FLAGS | SIGCHLD, (void *)top, &loan->child,
			&loan->borrowed, ff_borrow, loan);
}

long ff_lend_clone(struct ff_loan *loan, uintptr_t top)
{
	long rc = by_clone3(loan, top);

	if (!ff_clone_is_refused(rc))
		return rc;
	atomic_store(&no_clone3, true);
	return by_clone(loan, top);
}
