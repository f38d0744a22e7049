/*
 * The child: standing up, being taken back, being let go.
 *
 * Rules: everything here runs in the child, in a signal handler on our
 * alternate stack, single-threaded, by raw system calls.
 *
 * Hazards
 *  H-C2 While all signals are blocked none of the program's handlers runs.
 *       What is pending when the program would take it ends the trial; taken
 *       back, the fork happens after the signal.
 *  H-C3 Once it is in execve the child may not be killed by its parent any
 *       more: state moves RUNNING -> EXECING by compare-exchange, as
 *       RUNNING -> CANCELLED does on the other side.
 *  H-C7 It begins when its parent says so: what it is to be, it is not before
 *       that knows that no signal came in front of the clone (H-L2). A parent
 *       that has died meanwhile has no child.
 *  H-P7 What it reads its parent's memory by was open in a table that other
 *       threads change. One of them may have closed it, and opened something
 *       else: that is the program's, and the child is not born.
 */
#include "lazy/child/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/resource.h>
#include <time.h>

#include "arch/arch.h"
#include "arch/hot.h"
#include "host/fault.h"
#include "host/newborn.h"
#include "host/pidns.h"
#include "lazy/child/limit.h"
#include "lazy/child/pager.h"
#include "lazy/child/raised.h"
#include "lazy/child/reserve.h"
#include "lazy/child/robust.h"
#include "lazy/child/watched.h"
#include "lazy/trap.h"
#include "process/sigsys.h"
#include "process/stance.h"

struct ff_child ff_child FF_HOT;

/* Who is made by one whose end sends nothing is an ordinary child. */
static void send(void)
{
	ff_child.unsent = false;
}
FF_IN_NEW_PROCESS(send);

static bool move_state(enum ff_state from, enum ff_state to)
{
	uint32_t seen = from;

	return atomic_compare_exchange_strong(&ff_child.shared->state, &seen,
					      to);
}

/* H-I1: as a child might that is somebody's else. */
static void lie(void)
{
	struct ff_shared *sh = ff_child.shared;
	unsigned i;

	for (i = 0; i < FF_WARM_MAX; i++)
		sh->warm.cluster[i] =
			0xdead000000000000u + i * 0xfedcb0000u + i % 3 * 4096;
	sh->warm.count = UINT32_MAX;
	atomic_store(&sh->strays, 1);
	atomic_store(&sh->reason, UINT32_MAX);
	atomic_store(&sh->call, INT32_MIN);
	if (!ff_child.committed) /* H-W6: it lives */
		atomic_fetch_or(&sh->owner, FUTEX_OWNER_DIED);
	sys(futex, &sh->owner, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static _Noreturn void roll_back(enum ff_reason reason, long call)
{
	atomic_store(&ff_child.shared->reason, reason);
	atomic_store(&ff_child.shared->call, (int32_t)call);
	if (ff_fault(FF_FAULT_LIES))
		lie();
	move_state(FF_RUNNING, FF_ROLLBACK);
	move_state(FF_STARTING, FF_ROLLBACK);
	move_state(FF_BORN, FF_ROLLBACK);
	ff_end();
}

/* A committed child without its memory: it dies alone, as one that the
 * system has no memory for. */
static _Noreturn void die(void)
{
	for (;;)
		sys(kill, ff_getpid(), SIGKILL);
}

/* Out of the way of the numbers a program uses. */
static int move_high(int fd)
{
	struct rlimit limit = { .rlim_cur = 1024 };
	long high, floor;

	sys(prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
	floor = limit.rlim_cur < 1024 ? (long)limit.rlim_cur : 1024;
	for (floor -= 3; floor > fd && floor > 3; floor -= floor / 8 + 1) {
		high = sys(fcntl, fd, F_DUPFD_CLOEXEC, floor);
		if (high >= 0) {
			sys(close, fd);
			return (int)high;
		}
	}
	return fd;
}

/* H-C7 */
static bool is_born(void)
{
	const struct timespec a_while = { 0, 100L * 1000 * 1000 };
	_Atomic uint32_t *state = &ff_child.shared->state;

	while (atomic_load(state) == FF_STARTING)
		if (sys(futex, state, FUTEX_WAIT, FF_STARTING, &a_while, NULL,
			0) == -ETIMEDOUT &&
		    ff_parent_is_dead(ff_child.parent))
			return false;
	return move_state(FF_BORN, FF_RUNNING);
}

/* H-P7: its own from here on, if there is one. */
static bool take(const struct ff_held *held, int *ret_fd)
{
	const bool is = held->fd < 0 || ff_is_held(held);

	*ret_fd = is && held->fd >= 0 ? move_high(held->fd) : -1;
	return is;
}

static enum ff_reason stand_up(const struct ff_slot *slot,
			       const struct ff_held *mem,
			       const struct ff_held *pagemap)
{
	const bool has_mem = take(mem, &ff_child.mem),
		   has_pagemap = take(pagemap, &ff_child.pagemap);
	const struct timespec slow = { 2, 0 };

	if (slot->committed && ff_fault(FF_FAULT_SLOW_CHILD))
		sys(clock_nanosleep, CLOCK_MONOTONIC, 0, &slow, NULL);
	if (!has_mem || !has_pagemap || ff_limit_is_there() ||
	    ff_reserve() < 0)
		return FF_REASON_MEMORY;
	if (!slot->committed && ff_watch_shared() < 0)
		return FF_REASON_WRITABLE;
	/* As it is for the parent's other threads it goes on with their calls. */
	if (ff_child.sys.flags & SA_RESTART)
		ff_trap_again();
	if (ff_handle(SIGSEGV, ff_on_sigsegv, &ff_child.segv) < 0 ||
	    ff_raised_begin() < 0 ||
	    (slot->committed && ff_fault(FF_FAULT_NO_ARMING)) ||
	    ff_fault(FF_FAULT_SUD_OFF_CHILD) ||
	    ff_dispatch(true) < 0)
		return FF_REASON_UNARMED;
	return FF_REASON_NONE;
}

void ff_child_begin(struct ff_slot *slot, const struct ff_held *mem,
		    const struct ff_held *pagemap)
{
	enum ff_reason why_not;

	ff_slots_of_others(slot);
	/* Its parent may have been such a child itself. */
	ff_zero((uint64_t *)&ff_child, sizeof(ff_child) / sizeof(uint64_t));
	ff_child.slot = slot;
	ff_child.shared = &slot->of_child;
	ff_child.areas = &slot->areas;
	ff_child.committed = slot->committed;
	ff_child.mask = slot->mask;
	ff_child.stack = slot->stack;
	ff_child.sys = *ff_sigsys_of_program();
	ff_robust_begin();
	ff_child.parent = slot->parent;
	why_not = stand_up(slot, mem, pagemap);
	if (why_not != FF_REASON_NONE)
		roll_back(why_not, -1); /* nobody has seen it */
	if (!is_born())
		ff_end();
	ff_mediated = true;
}

void ff_child_is_out(void)
{
	uint32_t inside = FF_INSIDE;

	while (ff_fault(FF_FAULT_LOST))
		atomic_load(&ff_child.shared->state);
	if (!atomic_compare_exchange_strong(&ff_child.shared->inside, &inside,
					    FF_OUT))
		ff_end();
}

static void set_action(int sig, const struct ff_sigaction *act)
{
	sys(rt_sigaction, sig, act, NULL, sizeof(ff_sigset));
}

static bool who_asks_is_dead(void)
{
	const struct ff_shared *sh = ff_child.shared;

	return ff_parent_is_dead(ff_child.parent) ||
	       (atomic_load(&sh->source) == FF_SOURCE_STANDIN &&
		(atomic_load(&sh->standin) & FUTEX_OWNER_DIED));
}

/*
 * H-C4 A committed child's state is its own to change, but for one move: its
 *      parent, for whom nobody can stand in, sends SIGSYS after it has set
 *      ASKED; or who stands in does. That signal must not meet the program that
 *      is exec'ed. Whoever finds ASKED takes it first; all signals are blocked
 *      here. It may never come: then who asked takes back ASKED, or is dead.
 *
 *      It is sent to the thread, where it does not become one with a SIGSYS
 *      that somebody sends to the process: that one is the program's. Before
 *      Linux 6.9 who stands in has to send it to the process. It names nobody
 *      where siginfo was too much for the kernel.
 */
static bool is_asking(const siginfo_t *info)
{
	const struct ff_shared *sh = ff_child.shared;

	if (info->si_code != SI_USER)
		return info->si_code == SI_TKILL;
	return info->si_pid == 0 ||
	       (atomic_load(&sh->source) == FF_SOURCE_STANDIN &&
		(uint32_t)info->si_pid ==
			(atomic_load(&sh->standin) & FUTEX_TID_MASK));
}

static void move_on(enum ff_state to)
{
	const struct timespec a_while = { 0, 100L * 1000 * 1000 };
	const ff_sigset ask = FF_SIG(SIGSYS);
	siginfo_t info, strangers = { 0 };
	bool came;

	while (!move_state(FF_RUNNING, to)) {
		if (atomic_load(&ff_child.shared->state) != FF_ASKED) {
			atomic_store(&ff_child.shared->state, to);
			break;
		}
		came = sys(rt_sigtimedwait, &ask, &info, &a_while,
			   sizeof(ask)) == SIGSYS;
		if (came && !is_asking(&info))
			strangers = info;
		else if (came || who_asks_is_dead())
			move_state(FF_ASKED, FF_RUNNING);
	}
	if (strangers.si_signo)
		sys(rt_sigqueueinfo, ff_getpid(), SIGSYS, &strangers);
}

bool ff_child_takes_asking(const siginfo_t *info)
{
	return ff_child.committed && is_asking(info) &&
	       move_state(FF_ASKED, FF_RUNNING);
}

/*
 * H-C8 What was refused once may be had a moment later: a committed child has
 *      nothing else to go on with. What was brought is brought once more: since
 *      then nobody has written to it.
 */
#define TRIES 8

static int fetch_all(void)
{
	struct timespec pause = { 0, 1000L * 1000 };
	int i, rc = ff_fetch_all();

	for (i = 1; rc < 0 && i < TRIES; i++) {
		sys(clock_nanosleep, CLOCK_MONOTONIC, 0, &pause, NULL);
		pause.tv_nsec *= 2;
		rc = ff_fetch_all();
	}
	return rc;
}

/* Become an ordinary process whose thread continues from @uc. */
static void let_go(ucontext_t *uc)
{
	struct ff_shared *sh = ff_child.shared;
	const bool unsent = ff_child.unsent;

	move_on(FF_LEAVING);
	sys(futex, &sh->owner, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	if (fetch_all() < 0)
		die();
	ff_mediated = false;
	ff_dispatch(false);
	/* SIGSYS is given back as the parent had it, and then is the child's */
	ff_new_process();
	ff_child.unsent = unsent;
	set_action(SIGSEGV, &ff_child.segv);
	set_action(SIGSYS, &ff_child.sys);
	ff_raised_leave();
	ff_robust_leave();
	if (ff_child.mem >= 0)
		sys(close, ff_child.mem);
	if (ff_child.pagemap >= 0)
		sys(close, ff_child.pagemap);
	uc->uc_stack = ff_child.stack;
	ff_sigaltstack_from(&ff_child.stack, ff_stack_pointer(uc));
	*(ff_sigset *)&uc->uc_sigmask = ff_child.mask;

	atomic_store(&sh->owner, 0);
	atomic_store(&sh->state, FF_RELEASED);
	sys(futex, &sh->owner, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	sys(futex, &sh->asked, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void ff_child_leave(ucontext_t *uc, enum ff_reason reason, long call)
{
	ff_exec_left(uc);
	if (!ff_child.committed)
		roll_back(reason, call);
	atomic_store(&ff_child.shared->reason, reason);
	atomic_store(&ff_child.shared->call, (int32_t)call);
	if (reason == FF_REASON_MEMORY && call < 0)
		die(); /* at a fault, which may be our own handler's */
	let_go(uc);
	if (call >= 0)
		ff_rewind(uc, call);
}

void ff_child_enter_exec(void)
{
	ff_robust_assure();
	if (ff_fault(FF_FAULT_LIES))
		lie();
	if (ff_child.committed)
		move_on(FF_EXECING);
	else if (!move_state(FF_RUNNING, FF_EXECING))
		ff_end();
	/* For a parent that can't wait for both words. */
	if (ff_child.mem < 0)
		sys(futex, &ff_child.shared->asked, FUTEX_WAKE, 1, NULL, NULL,
		    0);
}

/*
 * H-C5 The parent of a child on trial has gone on while that was in execve:
 *      who stands in was ready before. The child is taken back no more, and
 *      what it writes is the program's.
 */
bool ff_child_left_exec(void)
{
	if (move_state(FF_EXECING, FF_RUNNING))
		return true;
	if (!move_state(FF_EXEC_ALONE, FF_RUNNING))
		return false;
	atomic_store(&ff_child.shared->source, FF_SOURCE_STANDIN);
	ff_unwatch_shared();
	ff_child.committed = true;
	ff_child.unsent = true;
	return true;
}
