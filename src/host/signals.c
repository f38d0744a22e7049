#include "host/signals.h"

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
