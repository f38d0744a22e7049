/*
 * SIGSYS is ours for the moments between arming and the clone. A thread that
 * asks for it then, or sets it, deals with what the program will get back.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "host/next.h"
#include "host/signals.h"
#include "lazy/child.h"
#include "lazy/trap.h"
#include "preload/preload.h"

int __sigaction(int sig, const struct sigaction *act, struct sigaction *old);

static void to_kernel(const struct sigaction *from, struct ff_sigaction *to)
{
	memset(to, 0, sizeof(*to));
	to->handler = from->sa_sigaction;
	to->flags = (unsigned long)from->sa_flags;
	memcpy(&to->mask, &from->sa_mask, sizeof(to->mask));
}

static void from_kernel(const struct ff_sigaction *from, struct sigaction *to)
{
	memset(to, 0, sizeof(*to));
	to->sa_sigaction = from->handler;
	to->sa_flags = (int)(from->flags & ~FF_SA_RESTORER);
	memcpy(&to->sa_mask, &from->mask, sizeof(from->mask));
	to->sa_restorer = from->restorer;
}

/* False: not while ours is installed; libc knows. */
static bool sigsys_is_ours(int sig, const struct sigaction *act,
			   struct sigaction *old)
{
	struct ff_sigaction new, was;

	if (sig != SIGSYS || ff_child.active)
		return false;
	if (act)
		to_kernel(act, &new);
	if (!ff_program_sigaction(act ? &new : NULL, &was))
		return false;
	if (old)
		from_kernel(&was, old);
	return true;
}

FF_EXPORT int sigaction(int sig, const struct sigaction *act,
			struct sigaction *old)
{
	if (sigsys_is_ours(sig, act, old))
		return 0;
	return FF_NEXT(sigaction)(sig, act, old);
}

FF_EXPORT int __sigaction(int sig, const struct sigaction *act,
			  struct sigaction *old)
{
	if (sigsys_is_ours(sig, act, old))
		return 0;
	return FF_NEXT(__sigaction)(sig, act, old);
}

FF_EXPORT sighandler_t signal(int sig, sighandler_t handler)
{
	struct sigaction act = { .sa_handler = handler,
				 .sa_flags = SA_RESTART };
	struct sigaction old;

	if (sig == SIGSYS) {
		sigaddset(&act.sa_mask, sig);
		if (sigsys_is_ours(sig, &act, &old))
			return old.sa_handler;
	}
	return FF_NEXT(signal)(sig, handler);
}
