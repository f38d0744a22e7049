/*
 * Hazards
 *  H-D27 Where SIGCHLD is ignored the kernel keeps no zombie of those who would
 *        send it, and one without exit signal would not. If it ends so, it is
 *        reaped here, and no wait is told. That goes by what SIGCHLD was when it
 *        ended: who was dead before that is changed is looked at before.
 */
#include "process/handed.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/wait.h>

#include "arch/hot.h"
#include "host/identity.h"
#include "host/newborn.h"
#include "host/signals.h"
#include "host/sys.h"
#include "process/fate.h"

#define HANDED_MAX 64

static _Atomic pid_t handed[HANDED_MAX];
static _Atomic pid_t heard[HANDED_MAX]; /* the same, if its end was one */
static _Atomic unsigned count FF_HOT;

bool ff_handed_add(pid_t pid)
{
	pid_t none;
	unsigned i;

	for (i = 0; i < HANDED_MAX; i++) {
		none = 0;
		if (!atomic_compare_exchange_strong(&handed[i], &none, pid))
			continue;
		atomic_store(&heard[i], 0);
		atomic_fetch_add(&count, 1);
		return true;
	}
	return false;
}

static void forget(unsigned i, pid_t pid)
{
	if (atomic_compare_exchange_strong(&handed[i], &pid, 0))
		atomic_fetch_sub(&count, 1);
}

void ff_handed_remove(pid_t pid)
{
	unsigned i;

	for (i = 0; i < HANDED_MAX; i++)
		forget(i, pid);
}

static bool ends_unheard(void)
{
	struct ff_sigaction act = { 0 };

	return sys(rt_sigaction, SIGCHLD, NULL, &act, sizeof(act.mask)) == 0 &&
	       ((void *)act.handler == (void *)SIG_IGN ||
		(act.flags & SA_NOCLDWAIT));
}

/* H-D27. True: it was there, and is gone. */
static bool reap_unheard(unsigned i, pid_t pid)
{
	siginfo_t info = { 0 };

	return atomic_load(&heard[i]) != pid && ends_unheard() &&
	       sys(waitid, P_PID, pid, &info, WEXITED | WNOHANG | __WCLONE,
		   NULL) == 0 &&
	       info.si_pid == pid;
}

/* Found by an ordinary wait, or by none at all. */
static bool is_settled(unsigned i, pid_t pid)
{
	siginfo_t info;
	const int look = WEXITED | WNOHANG | WNOWAIT;

	return reap_unheard(i, pid) ||
	       sys(waitid, P_PID, pid, &info, look, NULL) == 0 ||
	       sys(waitid, P_PID, pid, &info, look | __WALL, NULL) == -ECHILD;
}

/* Who has borrowed this memory knows them, but they are not its children. */
static bool has_any(void)
{
	return atomic_load(&count) && ff_identity() == FF_SAME;
}

bool ff_any_handed(void)
{
	unsigned i;
	pid_t pid;

	if (!has_any())
		return false;
	for (i = 0; i < HANDED_MAX && atomic_load(&count); i++) {
		pid = atomic_load(&handed[i]);
		if (pid && is_settled(i, pid))
			forget(i, pid);
	}
	return atomic_load(&count) != 0;
}

void ff_handed_hear(void)
{
	unsigned i;
	pid_t pid;

	for (i = 0; i < HANDED_MAX && ff_any_handed(); i++) {
		pid = atomic_load(&handed[i]);
		if (pid && ff_has_ended(pid))
			atomic_store(&heard[i], pid);
	}
}

bool ff_handed_unheard(pid_t pid)
{
	unsigned i;

	if (!has_any())
		return false;
	for (i = 0; i < HANDED_MAX && atomic_load(&count); i++) {
		if (atomic_load(&handed[i]) != pid || !reap_unheard(i, pid))
			continue;
		forget(i, pid);
		return true;
	}
	return false;
}

bool ff_knows_handed(pid_t pid)
{
	unsigned i;

	if (!atomic_load(&count) || pid <= 0)
		return atomic_load(&count);
	for (i = 0; i < HANDED_MAX; i++)
		if (atomic_load(&handed[i]) == pid)
			return true;
	return false;
}

bool ff_is_handed(pid_t pid)
{
	return ff_any_handed() && ff_knows_handed(pid);
}

static void reset(void)
{
	unsigned i;

	for (i = 0; i < HANDED_MAX && atomic_load(&count); i++)
		atomic_store(&handed[i], 0);
	atomic_store(&count, 0);
}
FF_IN_NEW_PROCESS(reset);
