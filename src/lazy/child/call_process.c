/*
 * Calls on the process: its end, its identity. What the child
 * changes of itself dies with it; of others it may change nothing.
 */
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/resource.h>

#include "arch/arch.h"
#include "host/persona.h"
#include "host/sys.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"
#include "lazy/child/last.h"
#include "lazy/child/robust.h"

void ff_look_exit(ucontext_t *uc, long nr)
{
	if (ff_thread_runs() && nr == SYS_exit)
		ff_thread_end(uc, nr);
	if (ff_child.committed) {
		ff_end_as_ordinary((int)ff_arg(uc, 0));
		ff_make(uc, nr);
	}
	ff_child_leave(uc, FF_REASON_EXIT, nr);
}

/* libc's child code registers its own list right after the clone. Of a thread
 * the kernel keeps it. */
void ff_look_set_robust_list(ucontext_t *uc, long nr)
{
	if (ff_thread_runs())
		ff_pass(uc, nr, "p-");
	else if (ff_arg(uc, 1) != (long)sizeof(struct ff_robust_head))
		ff_answer(uc, -EINVAL);
	else if (ff_robust_join((uintptr_t)ff_arg(uc, 0)))
		ff_answer(uc, 0);
	else
		ff_child_leave(uc, FF_REASON_CALL, nr);
}

void ff_look_futex(ucontext_t *uc, long nr)
{
	long op = ff_arg(uc, 1) & FUTEX_CMD_MASK;

	if ((op == FUTEX_WAKE || op == FUTEX_WAKE_BITSET) &&
	    (ff_arg(uc, 1) & FUTEX_PRIVATE_FLAG))
		ff_pass(uc, nr, "p-----");
	else if (ff_thread_is_awaited(uc))
		ff_thread_run(uc, nr);
	else
		ff_child_leave(uc, FF_REASON_CALL, nr);
}

/* A namespace is taken down behind its last process, when that is reaped and
 * long gone: the real child might not get one, where there is a limit. */
void ff_look_unshare(ucontext_t *uc, long nr)
{
	if (ff_thread_is_there()) /* H-Z6 */
		ff_child_leave(uc, FF_REASON_CALL, nr);
	else if (ff_arg(uc, 0) &
		 ~(long)(CLONE_FILES | CLONE_FS | CLONE_SYSVSEM))
		ff_output(uc, nr, "-");
	else
		ff_pass(uc, nr, "-");
}

/* What becomes readable could be executed as well from then on: all that is
 * fetched, which it can't in fork's child. */
void ff_look_personality(ucontext_t *uc, long nr)
{
	if (ff_persona_executes((unsigned long)ff_arg(uc, 0)))
		ff_child_leave(uc, FF_REASON_CALL, nr);
	else
		ff_pass(uc, nr, "-");
}

void ff_look_prctl(ucontext_t *uc, long nr)
{
	ff_pass_request(uc, nr, (uint32_t)ff_arg(uc, 0));
}

static bool is_self(long pid)
{
	return pid == 0 || pid == ff_getpid();
}

/* Calls whose first argument is a process; 0 is the caller. */
void ff_look_self(ucontext_t *uc, long nr)
{
	if (is_self((int)ff_arg(uc, 0)))
		ff_pass(uc, nr, ff_call(nr)->signature);
	else
		ff_child_leave(uc, FF_REASON_CALL, nr);
}

/* What is absent is not charged as data, and would be when it is fetched. */
static void set_limit(ucontext_t *uc, long nr, long resource)
{
	if ((int)resource == RLIMIT_DATA)
		ff_child_leave(uc, FF_REASON_CALL, nr);
	else
		ff_pass(uc, nr, ff_call(nr)->signature);
}

void ff_look_setrlimit(ucontext_t *uc, long nr)
{
	set_limit(uc, nr, ff_arg(uc, 0));
}

void ff_look_prlimit64(ucontext_t *uc, long nr)
{
	if (is_self((int)ff_arg(uc, 0)) && ff_arg(uc, 2))
		set_limit(uc, nr, ff_arg(uc, 1));
	else
		ff_look_self(uc, nr);
}

void ff_look_setpgid(ucontext_t *uc, long nr)
{
	/* setpriority and ioprio_set name the kind first */
	bool kind_first = nr != SYS_setpgid;
	bool one = nr == SYS_setpgid ||
		   (nr == SYS_setpriority && ff_arg(uc, 0) == PRIO_PROCESS) ||
		   (nr == SYS_ioprio_set && ff_arg(uc, 0) == 1);

	if (one && is_self((int)ff_arg(uc, kind_first ? 1 : 0)))
		ff_pass(uc, nr, "");
	else
		ff_child_leave(uc, FF_REASON_CALL, nr);
}
