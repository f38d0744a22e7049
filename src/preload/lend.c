/*
 * vfork, what its children may not call, and calls after which children are
 * made in another way. They come from assembly, which keeps the caller's
 * registers: arch/x86_64/vfork.S, leave.S and syscall.S.
 */
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/next.h"
#include "host/pidns.h"
#include "host/sandbox.h"
#include "lazy/ending.h"
#include "lazy/fork.h"
#include "lend/borrower.h"
#include "lend/loan.h"
#include "lend/vfork.h"
#include "preload/preload.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif

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
	ff_lend(caller, &libc);
	return (void *)FF_NEXT(vfork);
}

static bool changes_memory(uintptr_t option)
{
	return option == PR_SET_DUMPABLE || option == PR_SET_MM ||
	       option == PR_SET_THP_DISABLE || option == PR_SET_MDWE ||
	       option == PR_SET_MEMORY_MERGE;
}

/* The last that this process says, and, if it fails, more than it had to. */
static void enter_sandbox(long nr, uintptr_t a, uintptr_t b, uintptr_t c)
{
	if (!ff_is_sandboxing(nr, a, b, c))
		return;
	ff_own_memory("puts itself under a filter");
	ff_ending(FF_ENDING_EXIT);
	atomic_store(&ff_sandboxed, true);
}

void ff_leave_call(long nr, uintptr_t first, uintptr_t second, uintptr_t third)
{
	enter_sandbox(nr, first, second, third);
	switch (nr) {
	case SYS_setuid:
	case SYS_setgid:
	case SYS_setreuid:
	case SYS_setregid:
	case SYS_setresuid:
	case SYS_setresgid:
	case SYS_setfsuid:
	case SYS_setfsgid:
	case SYS_capset:
		ff_borrower_changes_ids();
		break;
	case SYS_prctl:
		if (changes_memory(first))
			ff_own_memory("changes its memory by prctl");
		break;
	case SYS_mlockall:
	case SYS_munlockall:
		ff_own_memory("changes its memory by mlockall");
		break;
	case SYS_execve:
	case SYS_execveat:
		ff_borrower_execs();
		break;
	case SYS_unshare:
	case SYS_setns:
		ff_pidns_changes();
		break;
	case SYS_userfaultfd:
		/* A fork finds nothing where the program would be asked. */
		ff_fork_never_lazily("userfaultfd is in use");
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
		ff_borrower_changes_ids();
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
		if (changes_memory(first))
			ff_own_memory("changes its memory by prctl");
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
