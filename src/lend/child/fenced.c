/*
 * What a child behind the fence does that comes to us: all its system calls,
 * and its faults.
 *
 * The kernel may not write where the child may not: then it says EFAULT where
 * it would have written for a fork. So a call is made only if the table of
 * calls says that it writes nothing, or into memory that the fence keeps. Every
 * other makes the child a fork first.
 *
 * Calls are made from ff_let_through(), outside of the handler, with the
 * program's mask: a child that waits in one takes signals as it would. Of
 * those that wait, only such as the kernel repeats behind a handler: a child
 * that takes too long is told so by a signal, which it must not see.
 *
 * Hazards
 *  H-F1 A child that holds its parent too long must leave, but a signal sent
 *       by the parent might meet the program that the child has just become.
 *       So it is the child's own timer, which the kernel takes away at exec
 *       with all that it has sent.
 *  H-F2 Some files of /proc mean the memory, not the process: what is written
 *       to them is the parent's as well.
 *  H-F3 The fork that a child becomes has another pid. So neither the child
 *       nor anybody else may have learnt the one it has: calls that tell it,
 *       make it the name of a group or session, or send it along (signals,
 *       sockets), and ways into /proc, which lead to this process, are not
 *       passed. What a fork does not inherit, neither.
 *  H-F4 The timer's signal (H-F1) must not be seen in what a call answers: only
 *       such calls wait here as the kernel repeats from the start.
 *  H-F5 Nothing gets a child out of a call that names a file, if the file system
 *       does not answer, or who watches its opens: so it is not made here.
 */
#include "lend/fence.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "arch/arch.h"
#include "calls/calls.h"
#include "host/fault.h"
#include "host/file.h"
#include "host/storage.h"
#include "lend/child/become.h"
#include "lend/child/borrower.h"
#include "lend/child/envoy.h"
#include "lend/headroom.h"
#include "lend/loan.h"
#include "process/sigsys.h"
#include "tell/options.h"

static bool holds(const struct ff_loan *loan, const ucontext_t *uc, long at,
		  size_t bytes)
{
	return ff_fence_holds(loan, ff_stack_pointer(uc), (uintptr_t)at, bytes);
}

/* All that the kernel may write is the child's, by @signature. */
static bool writes_inside(const struct ff_loan *loan, const ucontext_t *uc,
			  const char *signature)
{
	size_t bytes;
	int i;

	for (i = 0; i < FF_CALL_ARGUMENTS && signature[i]; i++) {
		bytes = ff_bytes_written(signature[i]);
		if (bytes && ff_arg(uc, i) &&
		    (bytes == SIZE_MAX ||
		     !holds(loan, uc, ff_arg(uc, i), bytes)))
			return false;
	}
	return true;
}

/* H-F2, H-F3: not a file that anybody might have; H-F4: nor one that somebody
 * serves, who hears of our signal. Writing to those of cgroups moves a process
 * to where there may be no room for another. */
static bool is_special(long fd)
{
	const enum ff_file_system on = ff_file_system(fd);

	return on != FF_FS_STORAGE && on != FF_FS_PIPE;
}

/* H-F4 A write made whole or not begun, as no signal may cut it short: the
 * kernel does so for files, and for what fits a pipe at once. */
static bool is_whole_write(const ucontext_t *uc, long nr)
{
	const bool gathers = ff_call(nr)->signature[1] == 'g';
	struct stat st;

	if (sys(fstat, ff_arg(uc, 0), &st) < 0 || is_special(ff_arg(uc, 0)))
		return false;
	return S_ISREG(st.st_mode) || ff_is_null(&st) ||
	       (S_ISFIFO(st.st_mode) && !gathers &&
		(unsigned long)ff_arg(uc, 2) <= PIPE_BUF);
}

/* ... and a read that comes back with what there is. */
static bool is_whole_read(const ucontext_t *uc)
{
	struct stat st;

	return sys(fstat, ff_arg(uc, 0), &st) == 0 &&
	       !is_special(ff_arg(uc, 0)) &&
	       (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode));
}

/* Limits that neither a fork nor we depend on. */
static bool is_harmless_limit(const ucontext_t *uc, long nr)
{
	const long resource = ff_arg(uc, nr == SYS_prlimit64 ? 1 : 0);
	const bool sets = nr == SYS_setrlimit || ff_arg(uc, 2);

	if (nr == SYS_prlimit64 && (int)ff_arg(uc, 0) != 0)
		return false;
	return !sets || resource == RLIMIT_CORE || resource == RLIMIT_FSIZE ||
	       resource == RLIMIT_NOFILE;
}

static bool may_pass_request(const struct ff_loan *loan, const ucontext_t *uc,
			     long nr, int argument)
{
	const struct ff_request_rule *rule =
		ff_request_rule(nr, (uint32_t)ff_arg(uc, argument));

	return rule->fence == FF_FENCE_PASS &&
	       writes_inside(loan, uc, rule->signature);
}

static bool may_pass(const struct ff_loan *loan, const ucontext_t *uc, long nr)
{
	const struct ff_call *c = ff_call(nr);

	if (ff_has_odd_flags(uc, nr))
		return false;
	switch ((enum ff_fence_way)c->fence) {
	case FF_FENCE_uid:
		if (!ff_headroom_is_unlimited())
			return false;
		/* fall through */
	case FF_FENCE_ids:
		return writes_inside(loan, uc, c->signature) &&
		       ff_borrower_changes_ids();
	case FF_FENCE_PASS:
		return writes_inside(loan, uc, c->signature);
	case FF_FENCE_write:
		return is_whole_write(uc, nr);
	case FF_FENCE_read:
		return holds(loan, uc, ff_arg(uc, 1), (size_t)ff_arg(uc, 2)) &&
		       is_whole_read(uc);
	case FF_FENCE_file:
		return !is_special(ff_arg(uc, 0));
	case FF_FENCE_fcntl:
	case FF_FENCE_ioctl:
		return may_pass_request(loan, uc, nr, 1);
	case FF_FENCE_prctl:
		return may_pass_request(loan, uc, nr, 0);
	case FF_FENCE_limit:
		return is_harmless_limit(uc, nr) &&
		       writes_inside(loan, uc, c->signature);
	case FF_FENCE_exec:
	case FF_FENCE_action:
	case FF_FENCE_mask:
	case FF_FENCE_LEAVE:
		return false;
	}
	return false;
}

static void pass(ucontext_t *uc, long nr)
{
	uintptr_t sp = ff_stack_pointer(uc);

	*(uintptr_t *)(sp - FF_PASS_BACK) = ff_goes_on_at(uc);
	ff_jump(uc, ff_let_through);
	ff_set_result(uc, nr);
}

/* True: done. The kernel never blocks what the fence needs. */
static bool change_mask(struct ff_loan *loan, ucontext_t *uc)
{
	const long set = ff_arg(uc, 1), old = ff_arg(uc, 2);
	const long bytes = (long)sizeof(ff_sigset);

	if ((set && !holds(loan, uc, set, (size_t)bytes)) ||
	    (old && !holds(loan, uc, old, (size_t)bytes)))
		return false;
	ff_set_result(uc, ff_change_mask(&loan->own_mask, ff_arg(uc, 0),
					 (const ff_sigset *)set,
					 (ff_sigset *)old, ff_arg(uc, 3)));
	*(ff_sigset *)&uc->uc_sigmask = loan->own_mask & ~FF_NEEDED;
	return true;
}

/* The same for a disposition: the old one is the parent's to tell, until the
 * child has set its own. Handlers, and what the fence needs, are not for a
 * child in borrowed memory. */
static bool change_action(struct ff_loan *loan, ucontext_t *uc)
{
	const long sig = ff_arg(uc, 0), set = ff_arg(uc, 1),
		   old = ff_arg(uc, 2);
	const struct ff_sigaction *act = (const struct ff_sigaction *)set;
	struct ff_sigaction was;
	long rc;

	if (sig < 1 || sig > FF_SIGNALS || (FF_SIG(sig) & FF_NEEDED) ||
	    ff_arg(uc, 3) != (long)sizeof(ff_sigset) ||
	    (set &&
	     (!holds(loan, uc, set, sizeof(*act)) || ff_is_handler(act))) ||
	    (old && !holds(loan, uc, old, sizeof(was))))
		return false;
	if (old)
		ff_ask_state(loan);
	rc = sys(rt_sigaction, sig, act, &was, sizeof(ff_sigset));
	if (rc == 0 && old)
		*(struct ff_sigaction *)old = loan->changed & FF_SIG(sig) ?
						      was :
						      loan->action[sig - 1];
	if (rc == 0 && set)
		loan->changed |= FF_SIG(sig);
	ff_set_result(uc, rc);
	return true;
}

static void call(struct ff_loan *loan, ucontext_t *uc, long nr)
{
	const uint8_t way = ff_call(nr)->fence;
	const char *why = "makes a call that is not for borrowers";

	if (way == FF_FENCE_exec && !ff_has_odd_flags(uc, nr))
		why = ff_envoy_exec(loan, uc, nr);
	else
		ff_envoy_is_outdated(loan);
	if (!why)
		return;
	if ((way == FF_FENCE_mask && change_mask(loan, uc)) ||
	    (way == FF_FENCE_action && change_action(loan, uc)))
		return;
	if (may_pass(loan, uc, nr) &&
	    holds(loan, uc, (long)(ff_stack_pointer(uc) - FF_PASS_BACK),
		  sizeof(uintptr_t))) {
		pass(uc, nr);
		return;
	}
	ff_become_in_handler(loan, uc, 0, why);
	ff_rewind(uc, nr);
}

/* A call that was interrupted, or was about to be made: seen where the
 * program made it. */
static void leave_pass(ucontext_t *uc)
{
	uintptr_t at = ff_goes_on_at(uc), back;

	if (at != (uintptr_t)ff_let_through &&
	    at != (uintptr_t)ff_let_through_done)
		return;
	back = *(uintptr_t *)(ff_stack_pointer(uc) - FF_PASS_BACK);
	if (at == (uintptr_t)ff_let_through)
		back -= FF_CALL_BYTES;
	ff_go_on_at(uc, back);
}

static bool strays(int sig, const siginfo_t *info)
{
	return sig == SIGSEGV && info->si_code == SEGV_PKUERR &&
	       info->si_pkey == 0;
}

bool ff_fenced_signal(struct ff_loan *loan, int sig, const siginfo_t *info,
		      ucontext_t *uc)
{
	if (sig == SIGSYS && info->si_code == SYS_USER_DISPATCH) {
		call(loan, uc, ff_call_number(info));
		return true;
	}
	leave_pass(uc);
	if (sig == SIGSYS && info->si_code == SI_TIMER) {
		loan->late = true;
		ff_become_in_handler(loan, uc, 0, "takes too long");
		return true;
	}
	if (!ff_comes_again(sig, info))
		return false;
	if (!strays(sig, info) ||
	    !ff_fence_mend(loan, (uintptr_t)info->si_addr))
		ff_become_in_handler(loan, uc, 0,
				     strays(sig, info) ? "writes to memory" :
							 "faults");
	return true;
}

/* H-F1 */
static bool start_timer(void)
{
	const long ms = ff_options.budget_ms;
	const struct itimerspec budget = {
		.it_value = { ms / 1000, ms % 1000 * 1000000 },
	};
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGSYS };
	int timer;

	return sys(timer_create, CLOCK_MONOTONIC, &event, &timer) == 0 &&
	       sys(timer_settime, timer, 0, &budget, NULL) == 0;
}

void ff_fenced_begin(struct ff_loan *loan)
{
	loan->own_mask = loan->mask;
	if (!ff_borrower_handles(SIGSEGV) || !start_timer() ||
	    ff_fault(FF_FAULT_NO_WAY_BACK) || ff_dispatch(true) < 0)
		ff_borrower_gives_back(loan);
	ff_fence_close(loan);
	/* A signal may have waited for this: then it is a fork that returns. */
	ff_setmask(loan->mask);
}
