/*
 * Runs in the borrower, and in the process that it becomes, by raw calls.
 *
 * Hazard
 *  H-O3 Signals for the process group, or for all, wait for the borrower while
 *       it has them blocked, and are not inherited: those that came before the
 *       clone go along with the loan. What is there behind it came before it,
 *       and then it is the new process's, too, or to both: so that, before it
 *       does anything, is told of what it has not got itself.
 */
#include "lend/child/farewell.h"

#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>

#include "arch/arch.h"
#include "host/signals.h"
#include "host/sys.h"

/* Ten seconds, of a borrower that is stopped. */
#define FAREWELL_SLICE_NS (100L * 1000 * 1000)
#define FAREWELL_SLICES 100

ff_sigset ff_take_pending(siginfo_t *ret_info)
{
	const struct timespec now = { 0, 0 };
	const ff_sigset all = ~FF_SIG(SIGSYS);
	ff_sigset taken = 0;
	siginfo_t info;
	long sig;

	while ((sig = sys(rt_sigtimedwait, &all, &info, &now, sizeof(all))) >
	       0) {
		taken |= FF_SIG(sig);
		ret_info[sig - 1] = info;
	}
	return taken;
}

void ff_raise_taken(ff_sigset these, const siginfo_t *info)
{
	int sig;

	for (; these; these &= these - 1) {
		sig = __builtin_ctzl(these) + 1;
		sys(rt_tgsigqueueinfo, ff_getpid(), ff_gettid(), sig,
		    &info[sig - 1]);
	}
}

struct ff_farewell *ff_farewell_map(void)
{
	long at =
		sys(mmap, NULL, sizeof(struct ff_farewell),
		    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return at < 0 && at > -4096 ? NULL : (struct ff_farewell *)at;
}

void ff_farewell_say(struct ff_farewell *f)
{
	f->arrived = ff_take_pending(f->info);
	atomic_store(&f->said, 1);
	sys(futex, &f->said, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void ff_farewell_hear(struct ff_loan *loan, struct ff_farewell *f)
{
	const struct timespec slice = { 0, FAREWELL_SLICE_NS };
	ff_sigset left;
	int i;

	for (i = 0; i < FAREWELL_SLICES && !atomic_load(&f->said); i++)
		sys(futex, &f->said, FUTEX_WAIT, 0, &slice, NULL, 0);
	if (!atomic_load(&f->said))
		return;
	left = f->arrived & ~ff_pending();
	loan->arrived |= left;
	for (; left; left &= left - 1) {
		i = __builtin_ctzl(left);
		loan->info[i] = f->info[i];
	}
}
