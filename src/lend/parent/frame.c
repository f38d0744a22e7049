/*
 * Runs in the parent, before anything is lent.
 *
 * Hazard
 *  H-V2 The frame of vfork's caller is the parent's as soon as the child
 *       leaves it. The return address above it leads to ff_lent_return; the
 *       frame is copied beforehand and put back if the child went wrong;
 *       arguments above it, too, where no other thread can have written them.
 */
#include "lend/parent/frame.h"

#include <stddef.h>
#include <stdint.h>

#include "libc/object.h"
#include "site/frame.h"
#include "site/name.h"
#include "site/site.h"

/* Rules are remembered per place; objects may come and go. */
static bool is_return_address(uintptr_t address)
{
	struct ff_object object;

	return ff_object_of(address - 1, &object) &&
	       address - object.start > 16 && ff_is_behind_call(address);
}

/*
 * Arguments of vfork's caller that lie on the stack, above its frame, are in
 * the frame of the function that called it, which ends somewhere.
 */
static size_t find_args(const struct ff_loan *loan,
			const struct ff_caller *caller,
			const struct ff_frame_rule *rule)
{
	uintptr_t cfa = (uintptr_t)(loan->return_slot + 1), fp = caller->fp;
	struct ff_frame_rule above;
	uintptr_t end;

	if (!loan->alone || rule->fp_at == FF_FRAME_FP_LOST ||
	    !ff_frame_rule_at(loan->return_address, &above))
		return 0;
	if (rule->fp_at)
		fp = *(uintptr_t *)(cfa + (uintptr_t)(intptr_t)rule->fp_at);
	end = above.base == FF_FRAME_SP ? cfa : fp;
	end += (uintptr_t)(intptr_t)above.offset;
	if (end <= cfa)
		return 0;
	return end - cfa < FF_LOAN_ARGS_BYTES ? end - cfa : FF_LOAN_ARGS_BYTES;
}

bool ff_lend_find_frame(struct ff_loan *loan, const struct ff_caller *caller)
{
	struct ff_site *site = ff_site_of((void *)caller->pc);
	struct ff_frame_rule rule;
	uintptr_t cfa;

	if (!ff_site_frame(site, &rule))
		return false;
	cfa = rule.base == FF_FRAME_SP ? caller->sp : caller->fp;
	cfa += (uintptr_t)rule.offset;
	if (cfa <= caller->sp || cfa - caller->sp > FF_LOAN_FRAME_BYTES ||
	    cfa % sizeof(uintptr_t))
		return false;
	loan->return_slot = (uintptr_t *)cfa - 1;
	loan->return_address = *loan->return_slot;
	loan->frame_bytes = cfa - caller->sp;
	if (!is_return_address(loan->return_address))
		return false;
	loan->args_bytes = find_args(loan, caller, &rule);
	return true;
}
