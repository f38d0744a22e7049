/*
 * Hazards
 *  H-W1 "Has it exec'ed or is it dead?" is asked before "is its time up?",
 *       and nothing is reaped in between: an exec'ed child is the program's
 *       alone. On trial a child has exit signal 0, so only wait calls with
 *       __WCLONE see it; exec makes it ordinary. A dead child that never
 *       exec'ed stays a zombie of ours whatever SIGCHLD is set to.
 *  H-W2 A child in execve may not be killed: whether it is the old program
 *       or the new one can't be told. When its time is up somebody stands in
 *       for the parent; if nobody can, it is waited for, as with vfork.
 *  H-W6 Whatever the child's words say, time is told by the clock, and its end
 *       by the kernel, which is asked without waiting for the answer: the
 *       word is marked a little before that, or was by the child itself.
 *  H-W3 A committed child is the program's from the start: it is never
 *       killed or reaped here.
 */
#include "lazy/parent/wait.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>

#include "host/clock.h"
#include "host/sys.h"
#include "lazy/parent/lost.h"
#include "lazy/parent/standin.h"
#include "lazy/parent/supply.h"
#include "process/fate.h"
#include "process/standins.h"

/* Where nobody could be had to stand in; twice as long the next time, as each
 * try costs a fork. */
#define TRY_AGAIN_NS ((int64_t)100 * 1000 * 1000)
#define TRY_AGAIN_NS_MAX ((int64_t)5 * 1000 * 1000 * 1000)
/* What is killed may still be held up in the kernel. */
#define KILLED_NS ((int64_t)1000 * 1000 * 1000)
#define NAP_NS_MIN (20L * 1000)
#define NAP_NS_MAX (5L * 1000 * 1000)
/* A child that leaves may be done with it by then: that is less than a copy of
 * the parent costs. */
#define LEAVING_NS (5L * 1000 * 1000)

/* A child that has not said who it is may be dead without a word. */
#define YOUNG_NS ((int64_t)5 * 1000 * 1000)

static int64_t longer(int64_t again_ns)
{
	return again_ns < TRY_AGAIN_NS_MAX / 2 ? again_ns * 2 :
						 TRY_AGAIN_NS_MAX;
}

/* Where nobody will wake us: short at first. */
static void nap(long *ns)
{
	const struct timespec t = { 0, *ns };

	sys(clock_nanosleep, CLOCK_MONOTONIC, 0, &t, NULL);
	*ns = *ns < NAP_NS_MAX / 2 ? *ns * 2 : NAP_NS_MAX;
}

/* Until the child's word is not @seen any more, or @ns have passed; or the child
 * is given memory that it asks for. A word that says that its owner died does
 * not change: @nap_ns is for the next. */
static void wait_for_word(struct ff_supply *supply, uint32_t seen, int64_t ns,
			  long *nap_ns)
{
	if (!seen && ns > YOUNG_NS)
		ns = YOUNG_NS;
	if (ff_supply_is_asked(supply))
		ff_supply_answer(supply);
	else if (seen & FUTEX_OWNER_DIED)
		nap(nap_ns);
	else
		ff_supply_sleep(supply, seen, ns);
}

static bool change(struct ff_slot *slot, enum ff_state from, enum ff_state to)
{
	uint32_t seen = from;

	return atomic_compare_exchange_strong(&slot->shared->state, &seen, to);
}

static enum ff_outcome taken_back(struct ff_slot *slot)
{
	slot->reason = ff_reason_told(slot);
	if (slot->reason == FF_REASON_NONE)
		slot->reason = FF_REASON_DIED;
	slot->call = atomic_load(&slot->shared->call);
	return FF_OUTCOME_BACK;
}

/* Is there an ordinary child of that number? Looks, reaps nothing. */
static bool is_ordinary(pid_t pid)
{
	siginfo_t info = { 0 };

	return sys(waitid, P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT,
		   NULL) == 0;
}

/*
 * A child on trial that is dead without exec is reaped; one that exec'ed is
 * found by nobody who asks for __WCLONE.
 */
static enum ff_outcome look(struct ff_slot *slot, pid_t pid)
{
	siginfo_t info = { 0 };
	long rc = sys(waitid, P_PID, pid, &info, WEXITED | __WCLONE | WNOHANG,
		      NULL);

	if (rc == -ECHILD) {
		if (atomic_load(&slot->shared->state) == FF_EXECING ||
		    is_ordinary(pid))
			return FF_OUTCOME_EXEC;
		/* Somebody in this process waits with __WALL for any child
		 * and has taken it. It is dead all the same. */
		return taken_back(slot);
	}
	if (rc == 0 && info.si_pid == pid)
		return taken_back(slot);
	return FF_OUTCOME_NONE;
}

static bool reap_killed(struct ff_slot *slot, pid_t pid)
{
	const int64_t deadline = ff_now_ns() + KILLED_NS;
	long nap_ns = NAP_NS_MIN;

	while (look(slot, pid) == FF_OUTCOME_NONE) {
		if (ff_now_ns() >= deadline)
			return false;
		nap(&nap_ns);
	}
	return true;
}

/* Whoever is not dead in time is looked past, and reaped later, as who stands
 * in is: no wait of the program's finds it. */
static void leave_at_large(struct ff_slot *slot, pid_t pid)
{
	slot->at_large = true;
	ff_standin_remember(pid, pid);
}

/* Take the child back now; false: it has exec'ed, or is about to. */
static bool cancel_child(struct ff_slot *slot, pid_t pid)
{
	if (!change(slot, FF_BORN, FF_CANCELLED) &&
	    !change(slot, FF_RUNNING, FF_CANCELLED) &&
	    atomic_load(&slot->shared->state) != FF_ROLLBACK)
		return false;
	/* A child that changed its user may be out of reach; cancelled, it
	 * ends at its next system call. */
	if (sys(kill, pid, SIGKILL) < 0 || !reap_killed(slot, pid))
		leave_at_large(slot, pid);
	return true;
}

/* H-W2: whatever the exec waits for may be the parent's to give. An exec that
 * is through by now is found the next time. */
static enum ff_outcome hand_over_exec(struct ff_slot *slot, pid_t pid)
{
	if (atomic_load(&slot->shared->state) != FF_EXECING)
		return FF_OUTCOME_NONE;
	if (!ff_standin_may_ask())
		atomic_store(&slot->shared->leave, 1);
	if (!ff_standin_make_for_exec(slot, pid))
		return FF_OUTCOME_NONE;
	slot->reason = FF_REASON_BUDGET;
	return FF_OUTCOME_RELEASED;
}

static enum ff_outcome give_up(struct ff_slot *slot, pid_t pid)
{
	if (!cancel_child(slot, pid))
		return hand_over_exec(slot, pid);
	if (atomic_load(&slot->shared->reason) == FF_REASON_NONE)
		atomic_store(&slot->shared->reason, FF_REASON_BUDGET);
	return taken_back(slot);
}

/*
 * H-W5 A committed child that could not stand up, or was called off before it
 *      did, has done nothing, whether it says so or is dead without a word: it
 *      is taken back, and with it the SIGCHLD, unless another thread was there
 *      to take it. One that was pending before, or came in its shadow, stays.
 *      So nobody stands in for the parent of one that is not on its feet: it
 *      might never be, and its end would be the program's child's. The same
 *      is true until it has come out of libc's fork, where it may look at what
 *      other threads have unmapped meanwhile.
 */
static enum ff_outcome never_was(struct ff_slot *slot, pid_t pid)
{
	const ff_sigset sigchld = FF_SIG(SIGCHLD);
	const struct timespec now = { 0, 0 };
	siginfo_t info = { 0 }, other = { 0 };
	long rc = sys(waitid, P_PID, pid, &info, WEXITED | WNOHANG | __WALL,
		      NULL);

	if (rc == 0 && info.si_pid != pid)
		return FF_OUTCOME_NONE; /* not yet */
	if (sys(rt_sigtimedwait, &sigchld, &info, &now, sizeof(sigchld)) ==
	    SIGCHLD) {
		if (info.si_pid == pid)
			rc = sys(waitid, P_ALL, 0, &other,
				 WEXITED | WSTOPPED | WCONTINUED | WNOHANG |
					 WNOWAIT,
				 NULL);
		else
			other = info;
		if (other.si_pid)
			sys(rt_sigqueueinfo, ff_getpid(), SIGCHLD, &other);
	}
	return taken_back(slot);
}

/* Has it been taken back, by whom ever, if it is dead? */
static bool has_not_begun(const struct ff_slot *slot)
{
	const uint32_t state = atomic_load(&slot->shared->state);

	return state == FF_BORN || state == FF_ROLLBACK ||
	       state == FF_CANCELLED || ff_is_inside(slot);
}

static void decide(struct ff_slot *slot, enum ff_state to)
{
	/* It may have found by itself that it can't stand up. */
	change(slot, FF_STARTING, to);
	sys(futex, &slot->shared->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void ff_bear_child(struct ff_slot *slot)
{
	decide(slot, FF_BORN);
}

void ff_call_off_child(struct ff_slot *slot)
{
	slot->called_off = true;
	decide(slot, FF_CANCELLED);
}

void ff_bury_called_off(struct ff_slot *slot, pid_t pid)
{
	const struct timespec nap = { 0, NAP_NS_MIN };

	/* It may be stopped. */
	sys(kill, pid, SIGKILL);
	if (!slot->committed && !reap_killed(slot, pid))
		leave_at_large(slot, pid);
	while (slot->committed && never_was(slot, pid) == FF_OUTCOME_NONE)
		sys(nanosleep, &nap);
}

/* What has become of the committed child by now; NONE: nothing yet. */
static enum ff_outcome look_at_committed(struct ff_slot *slot, pid_t pid)
{
	struct ff_shared *sh = slot->shared;
	uint32_t owner = atomic_load(&sh->owner);

	slot->reason = ff_reason_told(slot);
	slot->call = atomic_load(&sh->call);
	if (atomic_load(&sh->state) == FF_RELEASED)
		return FF_OUTCOME_RELEASED;
	if (!(owner & FUTEX_OWNER_DIED))
		return FF_OUTCOME_NONE;
	if (has_not_begun(slot))
		return never_was(slot, pid);
	return atomic_load(&sh->state) == FF_EXECING ? FF_OUTCOME_EXEC :
						       FF_OUTCOME_ENDED;
}

/* One that is committed, before it has begun. */
static bool call_off(struct ff_slot *slot, pid_t pid)
{
	return (change(slot, FF_BORN, FF_CANCELLED) || ff_keep_inside(slot)) &&
	       sys(kill, pid, SIGKILL) == 0;
}

/* Whatever is left of its time. */
static enum ff_outcome give_up_lost(struct ff_slot *slot, pid_t pid)
{
	if (!(slot->committed ? call_off : cancel_child)(slot, pid))
		return FF_OUTCOME_NONE;
	atomic_store(&slot->shared->reason, FF_REASON_LOST);
	return slot->committed ? never_was(slot, pid) : taken_back(slot);
}

static void tell_to_leave(struct ff_slot *slot, pid_t pid)
{
	atomic_store(&slot->shared->leave, 1);
	if (change(slot, FF_RUNNING, FF_ASKED) &&
	    sys(tgkill, pid, pid, SIGSYS) < 0)
		change(slot, FF_ASKED, FF_RUNNING);
}

/*
 * H-W4 The budget of a committed child is used up, wherever it is: computing,
 *      stopped, in execve, fetching everything. Somebody else serves it from
 *      now on. If nobody can be had it is told to leave, wherever it computes,
 *      and waited for. It is told so, too, if who serves it may not tell it of
 *      signals (H-D14). One that is not on its feet by the second time (H-W5)
 *      is called off.
 */
static enum ff_outcome hand_over(struct ff_slot *slot, pid_t pid, bool again)
{
	if (again && call_off(slot, pid))
		atomic_store(&slot->shared->reason, FF_REASON_BUDGET);
	if (has_not_begun(slot))
		return never_was(slot, pid);
	if (!ff_standin_may_ask())
		tell_to_leave(slot, pid);
	if (ff_standin_make(slot, pid)) {
		if (slot->reason == FF_REASON_NONE)
			slot->reason = FF_REASON_BUDGET;
		return FF_OUTCOME_RELEASED;
	}
	tell_to_leave(slot, pid);
	return FF_OUTCOME_NONE;
}

/* What has become of it by now. @silent: nothing says that it is alive. */
static enum ff_outcome look_again(struct ff_slot *slot, pid_t pid,
				  uint32_t owner, bool silent)
{
	enum ff_outcome outcome;

	if (!slot->committed)
		return (owner & FUTEX_OWNER_DIED) || silent ?
			       look(slot, pid) :
			       FF_OUTCOME_NONE;
	outcome = look_at_committed(slot, pid);
	if (outcome != FF_OUTCOME_NONE || !silent || !ff_has_ended(pid))
		return outcome;
	return has_not_begun(slot) ? never_was(slot, pid) : FF_OUTCOME_ENDED;
}

/* Once the budget is used up it is tried again and again, more and more rarely,
 * to go on without the child. */
static enum ff_outcome wait_within(struct ff_slot *slot, pid_t pid,
				   struct ff_supply *supply, int64_t budget_ns)
{
	int64_t deadline = ff_now_ns() + budget_ns, left = budget_ns;
	int64_t again_ns = TRY_AGAIN_NS;
	struct ff_shared *sh = slot->shared;
	long nap_ns = NAP_NS_MIN;
	enum ff_outcome outcome;
	struct ff_lost lost;
	bool leaving = !slot->committed, has_waited = false;
	uint32_t seen;

	ff_lost_begin(&lost, slot, pid, budget_ns);
	for (;;) {
		if (!leaving && atomic_load(&sh->state) == FF_LEAVING) {
			leaving = true;
			deadline = ff_now_ns() + LEAVING_NS;
			left = LEAVING_NS;
		}
		seen = atomic_load(&sh->owner);
		outcome = look_again(slot, pid, seen,
				     left <= 0 || (!seen && has_waited));
		if (outcome == FF_OUTCOME_NONE && ff_is_lost(&lost))
			outcome = give_up_lost(slot, pid);
		if (outcome == FF_OUTCOME_NONE && left <= 0) {
			outcome = slot->committed ?
					  hand_over(slot, pid,
						    again_ns > TRY_AGAIN_NS) :
					  give_up(slot, pid);
			left = again_ns;
			deadline = ff_now_ns() + left;
			again_ns = longer(again_ns);
		}
		if (outcome != FF_OUTCOME_NONE)
			return outcome;
		wait_for_word(supply, seen, ff_lost_patience(&lost, left),
			      &nap_ns);
		has_waited = true;
		left = deadline - ff_now_ns();
	}
}

enum ff_outcome ff_wait_child(struct ff_slot *slot, pid_t pid,
			      unsigned budget_ms)
{
	int64_t budget_ns = (int64_t)budget_ms * 1000000;
	enum ff_outcome outcome;
	struct ff_supply supply;

	ff_supply_begin(&supply, &ff_image_of(slot)->slot, &slot->areas,
			FF_SOURCE_PARENT);
	slot->went_on = slot->committed ? pid : 0;
	outcome = wait_within(slot, pid, &supply, budget_ns);
	slot->supplied = supply.answered != 0;
	return outcome;
}
