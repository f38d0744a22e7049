/* Runs in the parent, in the SIGSYS handler, all signals blocked. */
#include "lazy/parent/ahead.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <time.h>

#include "arch/arch.h"
#include "host/sys.h"

long ff_virtual_mask(struct ff_slot *slot, const ucontext_t *uc)
{
	const ff_sigset *set = (const ff_sigset *)ff_arg(uc, 1);
	ff_sigset *old = (ff_sigset *)ff_arg(uc, 2);

	if (slot->mask == slot->mask_at_fork)
		slot->ret_mask = old;
	return ff_change_mask(&slot->mask, ff_arg(uc, 0), set, old,
			      ff_arg(uc, 3));
}

/* H-L4 */
bool ff_wait_for_lock(struct ff_slot *slot, ucontext_t *uc)
{
	const long op = ff_arg(uc, 1) & FUTEX_CMD_MASK;
	struct timespec slice = { 0, FF_LOOK_FOR_SIGNALS_NS };
	long rc;

	if (op == FUTEX_WAKE) {
		ff_set_result(uc, sys(futex, ff_arg(uc, 0), ff_arg(uc, 1),
				      ff_arg(uc, 2), NULL, NULL, 0));
		return true;
	}
	if (op != FUTEX_WAIT || ff_arg(uc, 3))
		return false;
	do {
		if (ff_signal_waits(slot->mask_at_fork))
			return false;
		rc = sys(futex, ff_arg(uc, 0), ff_arg(uc, 1), ff_arg(uc, 2),
			 &slice, NULL, 0);
	} while (rc == -ETIMEDOUT);
	ff_set_result(uc, rc);
	return true;
}
