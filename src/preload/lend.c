/*
 * vfork, what its children may not call, and calls after which children are
 * made in another way. They come from assembly, which keeps the caller's
 * registers: preload/x86_64/vfork.S, leave.S and syscall.S.
 */
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls/calls.h"
#include "host/pidns.h"
#include "host/sandbox.h"
#include "lend/child/borrower.h"
#include "lend/loan.h"
#include "lend/parent/ground.h"
#include "preload/next.h"
#include "preload/preload.h"
#include "process/sigsys.h"
#include "process/stance.h"
#include "ways/decide.h"
#include "ways/ending.h"
#include "ways/lend.h"

pid_t _Fork(void);
pid_t ff_vfork_again(void);

void *ff_vfork(const struct ff_caller *caller);
void *ff_leave(enum ff_next which, const uintptr_t *args);

void *ff_vfork(const struct ff_caller *caller)
{
	struct ff_libc libc;

	ff_own_memory("calls vfork");
	ff_next_find_all();
	libc.again = (void *)ff_vfork_again;
	libc.fork = FF_NEXT(fork);
	libc.bare_fork = FF_NEXT(_Fork);
	/* A child that goes wrong calls fork. */
	if (!ff_next_is_anothers(FF_NEXT_vfork) &&
	    !ff_next_is_anothers(FF_NEXT_fork))
		ff_lend_to_vfork(caller, &libc);
	ff_fork_memory_is_shared();
	return (void *)FF_NEXT(vfork);
}

/* Before an option of prctl(). */
static void look_at_option(uintptr_t option, uintptr_t value)
{
	switch (ff_request_rule(SYS_prctl, (uint32_t)option)->in_vfork) {
	case FF_VFORK_ON:
	case FF_VFORK_SECCOMP: /* enter_sandbox() */
		return;
	case FF_VFORK_DISPATCH:
		if (!value)
			return;
		ff_own_memory("is to be dispatched its calls");
		ff_dispatch_is_programs();
		return;
	case FF_VFORK_OWN:
		ff_own_memory("asks for what a fork does not inherit");
		return;
	default:
		ff_own_memory("changes its memory by prctl");
	}
}

static void look_at_ids(void)
{
	if (!ff_borrower_changes_ids())
		ff_own_memory("changes ids that can't be known");
}

/* The last that this process says, and, if it fails, more than it had to. */
static void enter_sandbox(long nr, uintptr_t a, uintptr_t b, uintptr_t c)
{
	if (!ff_is_sandboxing(nr, a, b, c))
		return;
	ff_own_memory("puts itself under a filter");
	ff_ending(FF_ENDING_WORDS);
	ff_tidy();
	ff_sandbox_enter(nr, a, b);
}

void ff_leave_call(long nr, const long *args)
{
	enter_sandbox(nr, (uintptr_t)args[0], (uintptr_t)args[1],
		      (uintptr_t)args[2]);
	switch ((enum ff_in_vfork)ff_call(nr)->in_vfork) {
	case FF_VFORK_ON:
	case FF_VFORK_ADVICE:
	case FF_VFORK_UNMAPS:
	case FF_VFORK_MOVES:
	case FF_VFORK_SECCOMP:
	case FF_VFORK_DISPATCH: /* is an option */
	case FF_VFORK_OWN:	/* the same */
	case FF_VFORK_FORKS:
	case FF_VFORK_SENDS: /* send.c */
		break;
	case FF_VFORK_IDS:
		look_at_ids();
		break;
	case FF_VFORK_PRCTL:
		look_at_option((uintptr_t)args[0], (uintptr_t)args[1]);
		break;
	case FF_VFORK_MEMORY:
		ff_own_memory("changes its memory by mlockall");
		break;
	case FF_VFORK_EXECS:
	case FF_VFORK_STATE:
	case FF_VFORK_GIVES:
	case FF_VFORK_CHILDREN: /* fork.c */
		break;
	case FF_VFORK_PIDNS:
		if (nr == SYS_setns || (args[0] & CLONE_NEWPID))
			ff_own_memory("changes its pid namespace");
		ff_pidns_changes();
		break;
	case FF_VFORK_UFFD:
		/* A fork finds nothing where the program would be asked. */
		if (!ff_mediated)
			ff_fork_never_lazily(FF_USERFAULTFD);
		break;
	case FF_VFORK_SEALS:
		/* What is absent in a child would not be. */
		if (!ff_mediated)
			ff_fork_real_from_now(FF_SEALED);
		break;
	case FF_VFORK_PERSONA:
		ff_persona_changes((unsigned long)args[0]);
		break;
	case FF_VFORK_RINGS:
		ff_own_memory("has the kernel write to its memory");
		ff_lend_no_forks();
		break;
	case FF_VFORK_UNKNOWN:
		ff_own_memory("makes a call that is not known");
	}
}

/* The thread has lent its stack, or the next definition of @which was not
 * known, or the call is one to look at: returns that. @args: the first three
 * arguments, at least. */
void *ff_leave(enum ff_next which, const uintptr_t *args)
{
	const uintptr_t first = args[0];

	switch (which) {
	case FF_NEXT_setuid:
	case FF_NEXT_setgid:
	case FF_NEXT_seteuid:
	case FF_NEXT_setegid:
	case FF_NEXT_setreuid:
	case FF_NEXT_setregid:
	case FF_NEXT_setresuid:
	case FF_NEXT_setresgid:
	case FF_NEXT_setfsuid:
	case FF_NEXT_setfsgid:
		look_at_ids();
		break;
	case FF_NEXT_longjmp:
	case FF_NEXT__longjmp:
	case FF_NEXT_siglongjmp:
	case FF_NEXT___longjmp_chk:
		if (ff_borrower_jumps_out((void *)first))
			ff_own_memory("jumps out of the function that called "
				      "vfork");
		break;
	case FF_NEXT_prctl:
		enter_sandbox(SYS_prctl, first, args[1], args[2]);
		look_at_option(first, args[1]);
		break;
	case FF_NEXT_mlockall:
	case FF_NEXT_munlockall:
		ff_own_memory("changes its memory by mlockall");
		break;
	case FF_NEXT_error:
	case FF_NEXT_error_at_line:
		if (first) /* the status */
			ff_own_memory("calls exit");
		break;
	case FF_NEXT_pthread_create:
	case FF_NEXT_thrd_create:
		ff_own_memory("makes a thread");
		break;
	default:
		ff_own_memory("calls exit");
	}
	if (!ff_next_of[which])
		ff_next_find(which);
	return ff_next_of[which];
}
