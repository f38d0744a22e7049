/*
 * Runs in the child, in signal handlers, by raw calls.
 *
 * Hazards
 *  H-M9 What is raised at an instruction can't be blocked, so these signals are
 *       not among those that wait for the next call. A handler of the program's
 *       would run there and then, with our mask and our alternate stack in its
 *       frame, and leave them to the program. So ours runs instead, wherever
 *       the program has one, and the child leaves: the instruction is executed
 *       again where the masks are the program's.
 */
#include "lazy/child/raised.h"

#include <stddef.h>

#include "arch/arch.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"
#include "process/sigsys.h"

static const int raised[FF_RAISED] = { SIGBUS, SIGFPE, SIGILL, SIGTRAP };

static struct ff_sigaction *kept_of(int sig)
{
	unsigned i = 0;

	while (i < FF_RAISED - 1 && raised[i] != sig)
		i++;
	return &ff_child.raised.kept[i];
}

bool ff_is_raised(int sig)
{
	return sig >= 1 && sig <= FF_SIGNALS &&
	       (FF_SIG(sig) & FF_SYNCHRONOUS & ~FF_NEEDED);
}

static void on_raised(int sig, siginfo_t *info, void *context)
{
	ff_keys_as_in(context); /* H-T8 */
	if (ff_comes_again(sig, info))
		ff_child_leave(context, FF_REASON_CRASH, -1);
	else
		ff_child_foreign(context, info);
}

int ff_raised_take(int sig)
{
	struct ff_sigaction act = { 0 };
	int rc = (int)sys(rt_sigaction, sig, NULL, &act, sizeof(act.mask));

	if (rc == 0 && ff_is_handler(&act)) {
		rc = ff_handle(sig, on_raised, kept_of(sig));
		if (rc == 0)
			ff_child.raised.ours |= FF_SIG(sig);
	}
	return rc;
}

void ff_raised_give(int sig)
{
	if (!(ff_child.raised.ours & FF_SIG(sig)))
		return;
	sys(rt_sigaction, sig, kept_of(sig), NULL, sizeof(ff_sigset));
	ff_child.raised.ours &= ~FF_SIG(sig);
}

int ff_raised_begin(void)
{
	unsigned i;
	int rc = 0;

	ff_child.raised.ours = 0;
	for (i = 0; rc == 0 && i < FF_RAISED; i++)
		rc = ff_raised_take(raised[i]);
	return rc;
}

void ff_raised_leave(void)
{
	unsigned i;

	for (i = 0; i < FF_RAISED; i++)
		ff_raised_give(raised[i]);
}
