/*
 * Calls that make a thread, and what libc's new thread says of itself. On trial
 * there may be one, for as long as the child waits for its end
 * (lazy/child/thread.c).
 */
#include <linux/sched.h>
#include <string.h>

#include "arch/arch.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"
#include "lazy/child/pager.h"
#include "lazy/child/watched.h"

void ff_look_clone(ucontext_t *uc, long nr)
{
	const struct ff_thread_wish wish = {
		.flags = (unsigned long)ff_arg(uc, 0),
		.stack_top = (uintptr_t)ff_arg(uc, 1),
		.parent_tid = (uintptr_t)ff_arg(uc, 2),
		.child_tid = (uintptr_t)ff_arg(uc, 3),
		.tls = (uintptr_t)ff_arg(uc, 4),
	};

	ff_thread_make(uc, nr, &wish);
}

void ff_look_clone3(ucontext_t *uc, long nr)
{
	const uintptr_t at = (uintptr_t)ff_arg(uc, 0);
	const size_t bytes = (size_t)ff_arg(uc, 1);
	struct ff_thread_wish wish = { .bytes = bytes };
	struct clone_args args = { 0 };

	if (!ff_serve(uc, nr, ff_call(nr)->signature))
		return;
	if (bytes >= CLONE_ARGS_SIZE_VER0 && bytes <= sizeof(args) &&
	    ff_is_readable(at, bytes))
		memcpy(&args, (const void *)at, bytes);
	/* What is left at nothing is not known, and not made. */
	if (!args.exit_signal && !args.set_tid && !args.set_tid_size &&
	    args.stack && args.stack_size &&
	    args.stack + args.stack_size > args.stack) {
		wish.flags = args.flags;
		wish.stack_top = args.stack + args.stack_size;
		wish.parent_tid = args.parent_tid;
		wish.child_tid = args.child_tid;
		wish.tls = args.tls;
	}
	ff_thread_make(uc, nr, &wish);
}

/* The kernel writes there whenever the thread comes back from it. */
void ff_look_rseq(ucontext_t *uc, long nr)
{
	if (ff_thread_runs() && !ff_meets_watched((uintptr_t)ff_arg(uc, 0),
						  (uint32_t)ff_arg(uc, 1)))
		ff_pass(uc, nr, ff_call(nr)->signature);
	else
		ff_child_leave(uc, FF_REASON_CALL, nr);
}

/* Who waits for the thread waits for the word that it was made with. */
void ff_look_set_tid_address(ucontext_t *uc, long nr)
{
	if (ff_thread_runs())
		ff_child_leave(uc, FF_REASON_CALL, nr);
	else
		ff_pass(uc, nr, "-");
}
