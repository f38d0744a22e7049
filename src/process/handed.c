#include "process/handed.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/wait.h>

#include "arch/hot.h"
#include "host/newborn.h"
#include "host/sys.h"

#define HANDED_MAX 64

static _Atomic pid_t handed[HANDED_MAX];
static _Atomic unsigned count FF_HOT;

bool ff_handed_add(pid_t pid)
{
	pid_t none;
	unsigned i;

	for (i = 0; i < HANDED_MAX; i++) {
		none = 0;
		if (!atomic_compare_exchange_strong(&handed[i], &none, pid))
			continue;
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

/* Found by an ordinary wait, or by none at all; looks, reaps nothing. */
static bool is_settled(pid_t pid)
{
	siginfo_t info;
	const int look = WEXITED | WNOHANG | WNOWAIT;

	return sys(waitid, P_PID, pid, &info, look, NULL) == 0 ||
	       sys(waitid, P_PID, pid, &info, look | __WALL, NULL) == -ECHILD;
}

bool ff_any_handed(void)
{
	unsigned i;
	pid_t pid;

	for (i = 0; i < HANDED_MAX && atomic_load(&count); i++) {
		pid = atomic_load(&handed[i]);
		if (pid && is_settled(pid))
			forget(i, pid);
	}
	return atomic_load(&count) != 0;
}

bool ff_is_handed(pid_t pid)
{
	unsigned i;

	if (!atomic_load(&count) || !ff_any_handed())
		return false;
	for (i = 0; i < HANDED_MAX; i++)
		if (atomic_load(&handed[i]) == pid)
			return true;
	return false;
}

static void reset(void)
{
	unsigned i;

	for (i = 0; i < HANDED_MAX && atomic_load(&count); i++)
		atomic_store(&handed[i], 0);
	atomic_store(&count, 0);
}
FF_IN_NEW_PROCESS(reset);
