#include "host/signals.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "arch/arch.h"

#define IGNORED_BY_DEFAULT \
	(FF_SIG(SIGCHLD) | FF_SIG(SIGURG) | FF_SIG(SIGWINCH) | FF_SIG(SIGCONT))

/* Blocked signals queue up even where they are ignored; those do not count. */
static bool is_ignored(int sig)
{
	struct ff_sigaction act = { 0 };

	sys(rt_sigaction, sig, NULL, &act, sizeof(ff_sigset));
	return (void *)act.handler == (void *)SIG_IGN ||
	       ((void *)act.handler == (void *)SIG_DFL &&
		(FF_SIG(sig) & IGNORED_BY_DEFAULT));
}

bool ff_signal_waits(ff_sigset mask)
{
	ff_sigset set = ff_pending() & ~mask;
	int sig;

	for (; set; set &= set - 1) {
		sig = __builtin_ctzll(set) + 1;
		if (!is_ignored(sig))
			return true;
	}
	return false;
}

static void drop(int sig)
{
	const struct timespec now = { 0, 0 };
	const ff_sigset set = FF_SIG(sig);

	while (sys(rt_sigtimedwait, &set, NULL, &now, sizeof(set)) == sig)
		;
}

bool ff_signal_comes(ff_sigset mask)
{
	ff_sigset set = ff_pending() & ~mask;
	bool comes = false;
	int sig;

	for (; set; set &= set - 1) {
		sig = __builtin_ctzll(set) + 1;
		if (is_ignored(sig))
			drop(sig);
		else
			comes = true;
	}
	return comes;
}

bool ff_may_read_word(const void *at)
{
	return at && sys(rt_sigprocmask, FF_NO_SUCH_WAY, at, NULL,
			 sizeof(ff_sigset)) != -EFAULT;
}

bool ff_has_common_key(const void *at)
{
	uint32_t keys = 0;
	int key;

	if (!ff_keys_possible())
		return true;
	for (key = 1; key < FF_KEYS; key++)
		keys |= FF_KEY_NO_ACCESS(key);
	return ff_sys_by_keys(keys, SYS_rt_sigprocmask, FF_NO_SUCH_WAY,
			      (long)at, 0, sizeof(ff_sigset)) != -EFAULT;
}

long ff_change_mask(ff_sigset *mask, long how, const ff_sigset *set,
		    ff_sigset *old, long set_bytes)
{
	ff_sigset was = *mask, now = was, change;
	long rc;

	if (set_bytes != (long)sizeof(*set))
		return -EINVAL;
	if (set) {
		rc = sys(rt_sigprocmask, FF_NO_SUCH_WAY, set, NULL, set_bytes);
		if (rc == -EFAULT)
			return rc;
		memcpy(&change, set, sizeof(change));
		if (how == SIG_BLOCK)
			now |= change;
		else if (how == SIG_UNBLOCK)
			now &= ~change;
		else if (how == SIG_SETMASK)
			now = change;
		else
			return -EINVAL;
	}
	*mask = now & ~FF_UNBLOCKABLE;
	if (!old)
		return 0;
	rc = sys(rt_sigprocmask, SIG_BLOCK, NULL, old, set_bytes);
	if (rc == 0)
		memcpy(old, &was, sizeof(was));
	return rc;
}
