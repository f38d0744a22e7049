/*
 * The parent's half. What is lent is the stack that vfork was called on, with
 * all memory; the parent waits on a stack of the loan's and makes raw calls
 * alone, so that the child can have thread, stack and memory as if it were
 * the parent. It is not the kernel's vfork (CLONE_VFORK), whose parent can do
 * nothing until its child has gone: here it answers questions, and looks
 * after a child that was stopped.
 *
 * Hazards
 *  H-V1 The child calls functions on the stack from caller.sp downwards, so
 *       nothing of the parent may be kept there from the clone on; all that
 *       it needs is in the loan.
 *  H-V3 No handler of the program runs in either: the parent blocks all
 *       signals, as the kernel's vfork does; the child starts without
 *       handlers (CLONE_CLEAR_SIGHAND), or takes them away first.
 *  H-V5 Another thread's change of ids waits for this thread as it does for
 *       one in the kernel's vfork: libc's signal for it is blocked, too.
 *  H-V6 A signal that comes while a process forks, for its whole group, must
 *       not miss the child. The kernel lets the parent take it first, and then
 *       begin anew. So do we: the child does not begin before its parent has
 *       looked, behind the clone, for one that came before.
 *  H-V7 A filter that another thread installs for all meets the waiting
 *       parent, too: so it waits for this flight (host/sandbox.h). The child
 *       is not counted: before it may install one it has memory of its own.
 */
#include "lend/parent/vfork.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "arch/hot.h"
#include "host/coredump.h"
#include "host/fault.h"
#include "host/sandbox.h"
#include "lend/child/borrower.h"
#include "lend/entry.h"
#include "lend/headroom.h"
#include "lend/loan.h"
#include "lend/parent/clone.h"
#include "lend/parent/frame.h"
#include "lend/parent/ground.h"
#include "lend/parent/reap.h"
#include "lend/parent/undo.h"
#include "libc/object.h"
#include "libc/threads.h"
#include "process/filter.h"
#include "process/gate.h"
#include "process/sigsys.h"
#include "process/stopwatch.h"
#include "site/name.h"
#include "site/site.h"
#include "site/tally.h"
#include "tell/log.h"
#include "tell/options.h"
#include "tell/probe.h"
#include "tell/stats.h"

#define ALL_SIGNALS (~(ff_sigset)0)
#define LOOK_NS (100L * 1000 * 1000)
#define BELOW_CALL ((uintptr_t)256)

/* libc's own: cancellation, and changes of ids in all threads. */
#define LIBC_SIGNALS (FF_SIG(32) | FF_SIG(33))

/* Here no such child can be had, or what it needs: libc's vfork does without.
 */
static _Atomic bool no_children FF_HOT;

static void answer(struct ff_loan *loan)
{
	struct ff_sigaction *sigsys;
	ff_sigset mask;
	int sig;

	if (loan->why && !loan->gate) {
		ff_gate_enter_real();
		loan->gate = true;
		loan->unclean = !ff_gate_sweep();
	}
	for (sig = 1; sig <= FF_SIGNALS; sig++)
		sys(rt_sigaction, sig, NULL, &loan->action[sig - 1],
		    sizeof(ff_sigset));
	/* One of our own, if another thread is in a fork. */
	sigsys = ff_sigsys_begin(&mask);
	if (sigsys)
		loan->action[SIGSYS - 1] = *sigsys;
	ff_sigsys_end(mask);
	sys(sigaltstack, NULL, &loan->altstack);
	loan->altstack.ss_flags &= ~SS_ONSTACK;
	atomic_store(&loan->question, FF_ANSWERED);
	sys(futex, &loan->question, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Bring a stopped child to memory of its own: it takes the signal before it
 * does anything else, and stops again. */
static void ask_to_leave(struct ff_loan *loan, int stopped_by)
{
	siginfo_t info = { .si_signo = SIGSYS, .si_code = SI_QUEUE };

	loan->stopped_by = stopped_by;
	if (sys(rt_sigqueueinfo, loan->child, SIGSYS, &info) == 0)
		sys(kill, loan->child, SIGCONT);
	else
		loan->stopped_by = 0;
}

/* It has taken long. Is it gone, unnoticed? Older kernels wake nobody for a
 * child that dumps core. */
static bool look_after(struct ff_loan *loan)
{
	siginfo_t info = { 0 };
	long rc = sys(waitid, P_PID, loan->child, &info,
		      WEXITED | WSTOPPED | WNOHANG | WNOWAIT, NULL);

	if (rc == 0 && info.si_code == CLD_STOPPED && !loan->stopped_by)
		ask_to_leave(loan, info.si_status);
	return rc == -ECHILD || (rc == 0 && (info.si_code == CLD_EXITED ||
					     info.si_code == CLD_KILLED ||
					     info.si_code == CLD_DUMPED));
}

static void wait_for_child(struct ff_loan *loan)
{
	const struct timespec limit = { 0, LOOK_NS };
	uint32_t seen;

	while ((seen = atomic_load(&loan->borrowed))) {
		if (atomic_load(&loan->question) == FF_ASK_STATE)
			answer(loan);
		if (sys(futex, &loan->borrowed, FUTEX_WAIT, seen, &limit, NULL,
			0) == -ETIMEDOUT &&
		    look_after(loan))
			break;
	}
}

/* H-V6 */
static void bear_or_call_off(struct ff_loan *loan)
{
	const uint32_t what =
		ff_signal_waits(loan->mask) ? FF_LOAN_CALLED_OFF : FF_LOAN_BORN;

	if (atomic_exchange(&loan->birth, what) == FF_LOAN_AWAITED)
		sys(futex, &loan->birth, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* The child went wrong: what is another process's, or nobody's, now? */
static void settle(struct ff_loan *loan)
{
	ff_undo_wrong(loan);
	if (loan->gate)
		ff_gate_leave_real();
	if (!loan->own)
		return; /* killed on the way: it is the program's to reap */
	ff_reap(loan->child, loan->own);
	loan->result = loan->own;
	if (!loan->record || loan->arrived || loan->stopped_by)
		return;
	if (loan->late)
		ff_record_doubt(loan->record);
	else
		ff_record_bar(loan->record);
}

/* A child that was called off, or could not be followed: it has done nothing. */
static void take_back(struct ff_loan *loan, bool called_off)
{
	ff_undo_wrong(loan);
	ff_reap(loan->child, 0);
	if (called_off)
		return;
	if (loan->record)
		ff_record_bar(loan->record);
	else
		atomic_store(&no_children, true);
}

static void count(const struct ff_loan *loan, const char *name)
{
	const struct ff_tally_call call = { (void *)loan->caller.pc, name };
	const uint64_t ns = ff_stopwatch_ns(loan->from);

	ff_tally_made(&call, loan->record ? FF_TALLY_lent : FF_TALLY_vforked,
		      loan->own ? 0 : ns);
	if (!loan->own)
		return;
	ff_tally_made(&call, FF_TALLY_became, ns);
	ff_tally_why(&call, FF_TALLY_became, loan->why);
}

static void tell(const struct ff_loan *loan)
{
	const char *name = loan->record ? "fork" : "vfork";
	char where[FF_SITE_NAME_MAX];

	if (loan->result > 0 && loan->record && !loan->own)
		ff_site_note_child(ff_site_of((void *)loan->caller.pc),
				   (pid_t)loan->result);
	if (loan->result > 0 && loan->record)
		ff_stats.forks_lent++;
	else if (loan->result > 0)
		ff_stats.vforks++;
	if (loan->result > 0 && loan->own && !loan->record)
		ff_stats.vforks_own++;
	if (loan->result > 0) {
		FF_PROBE(lent, loan->caller.pc, name, loan->result,
			 loan->own ? loan->why : "");
		count(loan, name);
	}
	if (!ff_log_wanted())
		return;
	ff_site_name((void *)loan->caller.pc, where);
	if (loan->why)
		ff_log("%s at %s: became a fork: child %s", name, where,
		       loan->why);
	else if (loan->record)
		ff_log("fork at %s: lent, fenced: %u pages put back", where,
		       loan->put_back);
}

/* Back on the program's stack, which is the parent's again. Its handlers run
 * here, and see where they are. */
static void go_on(void *arg)
{
	struct ff_loan *loan = arg;
	struct ff_caller caller = loan->caller;
	long result = loan->result;
	ff_sigset mask = loan->mask;

	if (loan->refused) {
		caller.pc = (uintptr_t)loan->libc.again;
		caller.sp -= sizeof(uintptr_t);
	} else {
		tell(loan);
	}
	if (loan->record)
		errno = loan->error_was; /* the child has set it, too */
	if (result < 0 && !loan->refused) {
		errno = (int)-result;
		result = -1;
	}
	ff_loan_put(loan);
	ff_setmask(mask);
	ff_flight_end();
	ff_resume(&caller, result);
}

static void make_child(struct ff_loan *loan)
{
	uintptr_t top = (loan->caller.sp - BELOW_CALL) & ~(uintptr_t)15;
	long rc;

	if (ff_fault_once(FF_FAULT_SIGNAL_LATE))
		sys(kill, 0, SIGUSR1);
	loan->reserved = loan->fenced && ff_headroom_reserve(&loan->nproc);
	loan->result = rc = ff_lend_clone(loan, top);
	if (loan->reserved)
		ff_headroom_release(&loan->nproc);
	if (loan->reserved && rc == -EAGAIN) {
		/* It would have been the last, or nearly so. */
		loan->refused = true;
		ff_lend_note_crowd();
		return;
	}
	/* A child that is there may have said so already. */
	if (ff_clone_is_refused(rc)) {
		loan->refused = true;
		atomic_store(&no_children, true);
	}
}

/* On the loan's stack. */
static void lend(void *arg)
{
	struct ff_loan *loan = arg;
	bool called_off;

	loan->parent = ff_getpid();
	loan->caught &= ~LIBC_SIGNALS;
	ff_undo_note(loan);
	*loan->return_slot = (uintptr_t)ff_lent_return;
	ff_loan = loan;
	if (ff_fault_once(FF_FAULT_SIGNAL))
		sys(kill, 0, SIGUSR1);
	if (ff_signal_waits(loan->mask))
		loan->refused = true; /* H-V6 */
	else
		make_child(loan);
	if (loan->result > 0) {
		bear_or_call_off(loan);
		wait_for_child(loan);
		ff_reap_around_envoy(loan);
	}
	called_off = atomic_load(&loan->birth) == FF_LOAN_CALLED_OFF;
	loan->refused |= called_off;
	ff_fence_lower(loan);
	ff_loan = NULL;
	*loan->return_slot = loan->return_address;
	if (loan->why)
		settle(loan);
	else if (loan->refused && loan->result > 0)
		take_back(loan, called_off);
	else if (loan->record)
		ff_undo_fork(loan);
	if (loan->ids.noted)
		ff_undo_ids(loan);
	ff_in_caller(&loan->caller, go_on, loan);
}

void ff_lend(const struct ff_caller *caller, const struct ff_libc *libc,
	     struct ff_record *record)
{
	struct ff_loan *loan;
	int error = errno;

	if (atomic_load(&no_children))
		return;
	loan = ff_loan_take();
	if (!loan)
		return;
	memset(loan, 0, offsetof(struct ff_loan, streams));
	loan->from = ff_stopwatch_start();
	loan->caller = *caller;
	loan->libc = *libc;
	loan->alone =
		ff_libc_made_no_thread() &&
		(record ? ff_memory_is_unshared() : ff_memory_seems_unshared());
	atomic_store(&loan->borrowed, 1);
	if (!ff_lend_ground(&loan->caught) ||
	    !ff_has_common_key((const void *)ff_thread_pointer()) ||
	    !ff_lend_find_frame(loan, caller)) {
		ff_loan_put(loan);
		errno = error;
		return;
	}
	loan->streams.stream[0] = loan->streams.stream[1] = NULL;
	loan->record = record;
	if (loan->alone && !record)
		ff_streams_note(&loan->streams);
	errno = loan->error_was = error;
	loan->mask = ff_setmask(ALL_SIGNALS);
	loan->fenced = record && ff_fence_raise(loan);
	if (record && !loan->fenced) {
		ff_setmask(loan->mask);
		ff_loan_put(loan);
		return;
	}
	ff_on_stack(ff_loan_stack(loan), lend, loan);
}
