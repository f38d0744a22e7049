/*
 * SIGSYS for one thread of this process, by whatever function: a thread that
 * forks may be about to be raised one (H-T7).
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "calls/calls.h"
#include "host/sandbox.h"
#include "host/sys.h"
#include "lend/loan.h"
#include "preload/next.h"
#include "preload/preload.h"
#include "process/filter.h"
#include "process/sends.h"
#include "process/stance.h"

int tgkill(pid_t group, pid_t thread, int sig);
int pthread_sigqueue(pthread_t thread, int sig, const union sigval value);

static bool begin(int sig, ff_sigset *ret_mask)
{
	return sig == SIGSYS && !ff_loan && ff_in_force() &&
	       ff_filter_allows(FF_ASK_futex) &&
	       ff_filter_allows(FF_ASK_rt_sigprocmask) &&
	       ff_sigsys_send_begin(ret_mask);
}

FF_EXPORT int pthread_kill(pthread_t thread, int sig)
{
	ff_sigset mask;
	int rc;

	if (thread == pthread_self() || !begin(sig, &mask))
		return FF_NEXT(pthread_kill)(thread, sig);
	rc = FF_NEXT(pthread_kill)(thread, sig);
	ff_sigsys_send_end(mask);
	return rc;
}

FF_EXPORT int pthread_sigqueue(pthread_t thread, int sig,
			       const union sigval value)
{
	ff_sigset mask;
	int rc;

	if (thread == pthread_self() || !begin(sig, &mask))
		return FF_NEXT(pthread_sigqueue)(thread, sig, value);
	rc = FF_NEXT(pthread_sigqueue)(thread, sig, value);
	ff_sigsys_send_end(mask);
	return rc;
}

FF_EXPORT int tgkill(pid_t group, pid_t thread, int sig)
{
	ff_sigset mask;
	int rc;

	if (!begin(sig, &mask))
		return FF_NEXT(tgkill)(group, thread, sig);
	rc = FF_NEXT(tgkill)(group, thread, sig);
	ff_sigsys_send_end(mask);
	return rc;
}

/* The last of the numbers that each of them begins with. */
static int signal_of(long nr, const long *args)
{
	const char *kind = ff_call(nr)->signature;
	int last = 0;

	while (last + 1 < FF_CALL_ARGUMENTS && kind[last + 1] == '-')
		last++;
	return (int)args[last];
}

long ff_send_raw(long nr, const long *args)
{
	long (*const next)(long, ...) = ff_next_syscall;
	ff_sigset mask;
	long rc;

	if (!begin(signal_of(nr, args), &mask))
		return next(nr, args[0], args[1], args[2], args[3]);
	rc = next(nr, args[0], args[1], args[2], args[3]);
	ff_sigsys_send_end(mask);
	return rc;
}
