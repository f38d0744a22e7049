/*
 * In the parent: which processes stand in for it, until they are reaped.
 * Context: any thread, signal handlers included; raw calls, no lock.
 *
 * Hazards
 *  H-D7 Nobody but us reaps them, or their number might be another process's
 *       by the time it is looked for: waits look first (preload/wait.c).
 *  H-D8 What ends without having reaped them leaves them to others. So they
 *       are waited for then, for as long as a fork might have taken.
 *  H-D9 Who sees one may stop it, and then it ends when it is killed only: that
 *       is done when the kernel says that its child needs nothing more.
 */
#include "process/standins.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>

#include "arch/hot.h"
#include "host/newborn.h"
#include "host/sys.h"
#include "process/fate.h"

#define STANDINS_MAX 64
#define LOOKS_AFTER_NS ((int64_t)1000 * 1000 * 1000)
#define KILLED_NS ((int64_t)100 * 1000 * 1000)

/* Of this process, not yet reaped; 0: free; negative: being asked for. */
static _Atomic pid_t standins[STANDINS_MAX];
static _Atomic pid_t served[STANDINS_MAX]; /* the child of each */
static _Atomic unsigned count FF_HOT;

bool ff_standin_reap(pid_t pid)
{
	siginfo_t info = { 0 };
	long rc = sys(waitid, P_PID, pid, &info, WEXITED | __WCLONE | WNOHANG,
		      NULL);

	return (rc < 0 && rc != -EINTR) || info.si_pid == pid;
}

bool ff_standins_full(void)
{
	return atomic_load(&count) == STANDINS_MAX;
}

void ff_standin_remember(pid_t pid, pid_t child)
{
	pid_t none;
	unsigned i;

	atomic_fetch_add(&count, 1);
	for (i = 0; i < STANDINS_MAX; i++) {
		none = 0;
		if (!atomic_compare_exchange_strong(&standins[i], &none, -pid))
			continue;
		atomic_store(&served[i], child);
		atomic_store(&standins[i], pid);
		return;
	}
}

/* What is left of the time behind a moment of it: a descriptor to wait by would
 * be in the way of other threads. */
static int64_t wait_a_moment(int64_t left_ns)
{
	const struct timespec step = { 0, 500L * 1000 };
	struct timespec from = { 0 }, to = { 0 };

	sys(clock_gettime, CLOCK_MONOTONIC, &from);
	sys(nanosleep, &step, NULL);
	sys(clock_gettime, CLOCK_MONOTONIC, &to);
	return left_ns - (int64_t)(to.tv_sec - from.tv_sec) * 1000000000 -
	       (to.tv_nsec - from.tv_nsec);
}

bool ff_standin_reap_within(pid_t pid, int64_t ns)
{
	while (!ff_standin_reap(pid)) {
		if (ns <= 0)
			return false;
		ns = wait_a_moment(ns);
	}
	return true;
}

/* @is: what it was. Somebody whose own wait has reaped it may have been first. */
static bool free_place(unsigned i, pid_t is)
{
	if (!atomic_compare_exchange_strong(&standins[i], &is, 0))
		return false;
	atomic_fetch_sub(&count, 1);
	return true;
}

/* Where @pid is, or STANDINS_MAX. */
static unsigned place_of(pid_t pid)
{
	pid_t is;
	unsigned i;

	for (i = 0; i < STANDINS_MAX && ff_any_standin(); i++) {
		is = atomic_load(&standins[i]);
		if (is == pid || is == -pid)
			return i;
	}
	return STANDINS_MAX;
}

bool ff_standin_told(pid_t pid, bool ended)
{
	const unsigned i = place_of(pid);

	if (i == STANDINS_MAX)
		return false;
	/* Another thread may begin to ask for it, or be done. */
	while (ended && !free_place(i, pid) && !free_place(i, -pid) &&
	       place_of(pid) == i)
		;
	return true;
}

static bool kill_and_reap(pid_t pid, int64_t ns)
{
	sys(kill, pid, SIGKILL);
	return ff_standin_reap_within(pid, ns);
}

void ff_standin_dismiss(pid_t pid)
{
	if (kill_and_reap(pid, KILLED_NS))
		ff_standin_told(pid, true);
}

/* When is one there in vain, how long may it take to end by itself, and when
 * it is killed? (H-D9) */
struct patience {
	bool (*is_in_vain)(pid_t child);
	int64_t ends_ns, killed_ns;
};
static const struct patience tidies = { ff_is_told, 0, KILLED_NS },
			     settles = { ff_has_ended, LOOKS_AFTER_NS,
					 KILLED_NS },
			     leaves = { ff_is_over, 0, KILLED_NS };

static bool reap_in_vain(pid_t pid, pid_t child, const struct patience *p)
{
	return p && p->is_in_vain(child) &&
	       (ff_standin_reap_within(pid, p->ends_ns) ||
		kill_and_reap(pid, p->killed_ns));
}

/* The @i-th, if there is one and no other thread is at it. */
static void try_to_reap(unsigned i, const struct patience *patience)
{
	pid_t pid = atomic_load(&standins[i]), asked = -pid;

	if (pid <= 0 ||
	    !atomic_compare_exchange_strong(&standins[i], &pid, asked))
		return;
	if (ff_standin_reap(pid) ||
	    reap_in_vain(pid, atomic_load(&served[i]), patience))
		free_place(i, asked);
	else
		atomic_compare_exchange_strong(&standins[i], &asked, pid);
}

void ff_standins_reap(void)
{
	unsigned i;

	for (i = 0; i < STANDINS_MAX && ff_any_standin(); i++)
		try_to_reap(i, &tidies);
}

void ff_standins_settle(void)
{
	unsigned i;

	for (i = 0; i < STANDINS_MAX && ff_any_standin(); i++)
		try_to_reap(i, &settles);
}

/* Somebody has stopped it, or let it go on. */
static void take_word(pid_t pid)
{
	siginfo_t info;

	sys(waitid, P_PID, pid, &info,
	    WSTOPPED | WCONTINUED | WNOHANG | __WCLONE, NULL);
}

bool ff_standin_found(const siginfo_t *info)
{
	const unsigned i =
		info->si_pid > 0 ? place_of(info->si_pid) : STANDINS_MAX;

	if (i == STANDINS_MAX)
		return false;
	take_word(info->si_pid);
	try_to_reap(i, NULL);
	return true;
}

void ff_standins_await(unsigned ms)
{
	int64_t left_ns = (int64_t)ms * 1000000;
	unsigned i;
	pid_t pid;

	for (i = 0; i < STANDINS_MAX && ff_any_standin();) {
		try_to_reap(i, left_ns > 0 ? NULL : &leaves);
		pid = atomic_load(&standins[i]);
		if (pid == 0 || left_ns <= 0)
			i++;
		else
			left_ns = wait_a_moment(left_ns);
	}
}

bool ff_any_standin(void)
{
	return atomic_load(&count) != 0;
}

static void reset(void)
{
	unsigned i;

	if (!atomic_load(&count))
		return;
	for (i = 0; i < STANDINS_MAX; i++)
		atomic_store(&standins[i], 0);
	atomic_store(&count, 0);
}
FF_IN_NEW_PROCESS(reset);
