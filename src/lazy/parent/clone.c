/*
 * What happens in the parent between arming and the return of libc's clone
 * call. Runs in the SIGSYS handler, all signals blocked.
 *
 * Hazards
 *  H-L1 Whatever is not understood is abandoned: everything is put back, and
 *       the thread executes the same instruction again, without us. So libc
 *       makes the real fork itself, and sees one fork.
 *  H-L2 A signal for the program that came before the clone must be taken
 *       before the fork, or by both processes (the kernel's own rule for
 *       fork). So the child does not begin before its parent has looked,
 *       behind the clone, for one that came before: then it is called off, as
 *       the kernel would have begun anew. What comes later comes to both.
 *       libc may have blocked all signals for its clone (glibc 2.41 and
 *       later), and then one that waits would be the parent's alone: so it is
 *       taken as if libc had not come that far.
 *  H-L3 The marks stand only from ff_areas_mark to right behind the clone.
 *  H-L4 What comes here is libc's, between the last prepare handler and its
 *       clone. It may wait for a lock whose holder was stopped by a signal
 *       handler, until all threads have taken a signal: so that is looked for
 *       in every wait.
 *  H-L5 Of two signals with one number the kernel keeps the first. Where the
 *       program's SIGSYS came to this thread at the very moment of a call,
 *       dispatch has raised none for that: it has not been made.
 */
#include "lazy/parent/clone.h"

#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>

#include "arch/arch.h"
#include "calls/calls.h"
#include "calls/request.h"
#include "host/clock.h"
#include "host/fault.h"
#include "host/sys.h"
#include "lazy/areas.h"
#include "lazy/child/child.h"
#include "lazy/parent/ahead.h"
#include "lazy/parent/marks.h"
#include "lazy/parent/sparse.h"
#include "lazy/parent/supply.h"
#include "lazy/parent/wait.h"
#include "lazy/trap.h"
#include "process/gate.h"
#include "process/noted.h"
#include "process/trials.h"
#include "tell/options.h"

/* Around the stack pointer and the thread's control block: in use by both
 * the program and the kernel (rseq), so not worth or not able to fault. */
#define STACK_BELOW ((uintptr_t)64 << 10)
#define STACK_ABOVE ((uintptr_t)256 << 10)
#define TCB_AROUND ((uintptr_t)16 << 10)

/* What a committed child may have to ask for, untouched memory included, where
 * no pagemap tells what was touched. */
#define READ_ALL_MAX ((uint64_t)4 << 30)

/* The kernel would make the clone wait for theirs, too; but a handler of theirs
 * may wait for what this thread has. */
#define WAIT_FOR_REAL_NS ((int64_t)1000 * 1000 * 1000)

/* These pass. */
static const char signal_waits[] = "a signal waits for the program";
static const char real_under_way[] = "a real fork is under way";

/* With the gate entered, and swept. */
static void go_on_real(struct ff_slot *slot, ucontext_t *uc, const char *why)
{
	if (why)
		slot->why_real = why;
	ff_disarm_in_handler(slot, uc);
	slot->real = true;
}

static void abandon_swept(struct ff_slot *slot, ucontext_t *uc, long nr,
			  const char *why)
{
	go_on_real(slot, uc, why);
	ff_rewind(uc, nr);
	if (slot->mask != slot->mask_at_fork) {
		/* H-L2 */
		ff_take_signals_first(uc, slot->mask, slot->ret_mask);
		*(ff_sigset *)&uc->uc_sigmask = slot->mask_at_fork;
	}
}

static void enter_gate_real(void)
{
	ff_gate_enter_real();
	ff_gate_sweep();
}

static void abandon(struct ff_slot *slot, ucontext_t *uc, long nr,
		    const char *why)
{
	enter_gate_real();
	abandon_swept(slot, uc, nr, why);
}

/* H-L5 */
void ff_parent_signal(struct ff_slot *slot, ucontext_t *uc)
{
	enter_gate_real();
	go_on_real(slot, uc, signal_waits);
	if (ff_stands_behind_call(uc))
		ff_rewind(uc, ff_result(uc));
}

/* Where no copy is wanted, or none would be whole, libc is told that there is no
 * memory for one, and undoes its fork as it does where that is true. */
static void deny(struct ff_slot *slot, ucontext_t *uc, const char *why)
{
	slot->denied = true;
	slot->passes = why == signal_waits || why == real_under_way;
	if (slot->outcome != FF_OUTCOME_BACK)
		slot->why_real = why;
	ff_disarm_in_handler(slot, uc);
	ff_set_result(uc, -ENOMEM);
}

/* The clone itself is abandoned, or fails. */
static void abandon_clone(struct ff_slot *slot, ucontext_t *uc, long nr,
			  const char *why)
{
	ff_gate_enter_real();
	if (ff_gate_sweep()) {
		abandon_swept(slot, uc, nr, why);
		return;
	}
	ff_gate_leave_real();
	deny(slot, uc, FF_GATE_UNCLEAN);
}

static void keep_range(struct ff_keep *keep, uintptr_t start, uintptr_t end)
{
	keep->range[keep->count++] = ff_pages_of(start, end);
}

static long make_child(struct ff_slot *slot, const struct ff_request *rq,
		       const char **ret_why)
{
	unsigned long flags = rq->flags;
	long pid;

	*ret_why = "the kernel makes no lazy child";
	if (ff_fault(FF_FAULT_CLONE) || !ff_slot_open(slot))
		return -ENOMEM;
	slot->parent = ff_getpid();
	if (slot->committed)
		flags |= rq->exit_signal;
	/* On trial: exit signal 0 until exec. */
	ff_slot_depict(slot);
	if (ff_fault(FF_FAULT_SIGNAL))
		sys(kill, 0, SIGUSR1);
	/* It would be for nothing. */
	if (ff_signal_waits(slot->mask_at_fork)) {
		ff_slot_close(slot);
		*ret_why = signal_waits;
		return -EAGAIN;
	}
	if (ff_fault(FF_FAULT_SIGNAL_LATE))
		sys(kill, 0, SIGUSR1);
	slot->clone_ns = -ff_now_ns();
	pid = ff_clone_image(flags, rq->parent_tid, rq->child_tid,
			     ff_house_of(slot), ff_image_of(slot),
			     sizeof(struct ff_house), FF_ALTSTACK_BYTES);
	if (pid != 0)
		slot->clone_ns += ff_now_ns();
	/* H-L2 */
	if (pid > 0 && ff_signal_waits(slot->mask_at_fork))
		ff_call_off_child(slot);
	else if (pid > 0)
		ff_bear_child(slot);
	if (pid != 0)
		ff_slot_close(slot);
	return pid;
}

/* In the child, whose parent may block them. */
static void let_faults_in(ucontext_t *uc)
{
	ff_sigset *mask = (ff_sigset *)&uc->uc_sigmask;

	if (!(*mask & FF_SIG(SIGSEGV)))
		return;
	*mask &= ~FF_SIG(SIGSEGV);
	ff_setmask(~FF_SIG(SIGSEGV));
}

/*
 * Mark, clone, unmark. Returns the child's pid, 0 in the child, or a
 * negative number with *ret_why.
 */
static long clone_without_areas(struct ff_slot *slot, ucontext_t *uc,
				const struct ff_request *rq,
				const char **ret_why)
{
	struct ff_keep keep = slot->keep;
	uintptr_t sp = ff_stack_pointer(uc), tp = ff_thread_pointer();
	struct ff_held mem, pagemap = { .fd = -1 };
	int rc;
	long pid = -EAGAIN;

	ff_slots_keep(&keep);
	keep.ours = keep.count;
	keep_range(&keep, sp - STACK_BELOW, sp + STACK_ABOVE);
	keep_range(&keep, tp - TCB_AROUND, tp + TCB_AROUND);
	rc = ff_areas_collect(&slot->areas, &keep);
	*ret_why = rc == -EOVERFLOW ? "a sanitizer's shadow memory is mapped" :
		   rc == -ENOSPC    ? "too many shared mappings" :
				      "the list of mappings can't be read";
	if (rc < 0)
		return -EAGAIN;
	ff_areas_drop_keyed(&slot->areas);
	*ret_why = "its memory can't be read";
	if (ff_open_memory(&mem) < 0 && !ff_can_supply())
		return -EAGAIN;
	/* Guards lie among the stacks of threads; a trial without it ends at
	 * the first. */
	if (slot->committed || !slot->alone)
		ff_open_pagemap(&pagemap);
	if (slot->committed)
		ff_areas_drop_growing(&slot->areas);
	if (!slot->alone)
		ff_areas_drop_sparse(&slot->areas, pagemap.fd);
	/* H-D23 */
	*ret_why = "another thread may exec, and its memory can't be opened";
	if (slot->committed && !slot->alone && mem.fd < 0) {
		ff_release(&pagemap);
		return -EAGAIN;
	}
	*ret_why = "/proc/self/pagemap can't be opened";
	if (slot->committed && pagemap.fd < 0 &&
	    (mem.fd >= 0 || slot->areas.absent_bytes > READ_ALL_MAX)) {
		ff_release(&mem);
		return -EAGAIN;
	}
	slot->areas.wiped =
		!slot->alone && (slot->committed || ff_noted_any_dontfork());
	rc = ff_areas_mark(&slot->areas, !slot->alone);
	*ret_why = rc == -EBUSY ? FF_GATE_UNCLEAN :
				  "the list of mappings can't be read";
	if (rc == 0) {
		pid = make_child(slot, rq, ret_why);
		if (pid == 0) {
			let_faults_in(uc);
			ff_child_begin(slot, &mem, &pagemap);
			return 0;
		}
		ff_areas_unmark(&slot->areas, !slot->alone, &keep);
	}
	ff_release(&mem);
	ff_release(&pagemap);
	return pid;
}

/* Until no real fork is at its clone; NULL, or why that can't be waited for. */
static const char *enter_gate(const struct ff_slot *slot)
{
	const int64_t slice_ns =
		ff_gate_is_given_up() ? 0 : FF_LOOK_FOR_SIGNALS_NS;
	int64_t deadline_ns = 0;

	while (!ff_gate_try_lazy(slice_ns)) {
		if (!slice_ns)
			return real_under_way;
		/* H-L4 */
		if (ff_signal_waits(slot->mask_at_fork))
			return signal_waits;
		if (!deadline_ns)
			deadline_ns = ff_now_ns() + WAIT_FOR_REAL_NS;
		if (ff_now_ns() < deadline_ns)
			continue;
		ff_gate_give_up();
		return real_under_way;
	}
	return NULL;
}

/* The clone and what comes of it, in the parent; NULL, or why it has to be
 * made for real. In the child *ret_pid is 0. */
static const char *try_lazy(struct ff_slot *slot, ucontext_t *uc,
			    const struct ff_request *rq, long *ret_pid)
{
	const char *why = enter_gate(slot);
	long pid;

	if (why)
		return why;
	if (!ff_gate_sweep()) {
		ff_gate_leave_lazy();
		return FF_GATE_UNCLEAN;
	}
	slot->extra_ns = -ff_now_ns();
	*ret_pid = pid = clone_without_areas(slot, uc, rq, &why);
	if (pid == 0)
		return NULL;
	slot->extra_ns += ff_now_ns() - slot->clone_ns;
	ff_gate_leave_lazy();
	ff_untrap(slot);
	if (pid < 0)
		return why;
	if (slot->called_off) {
		ff_bury_called_off(slot, (pid_t)pid);
		return signal_waits;
	}
	slot->outcome = ff_wait_child(slot, (pid_t)pid, ff_options.budget_ms);
	return slot->outcome == FF_OUTCOME_BACK ? "rolled back" : NULL;
}

/* One whose parent may exec, or wait for clone children, counts (H-D21). */
static bool begin(const struct ff_slot *slot)
{
	if (!slot->committed)
		return ff_trial_begin();
	return slot->alone || ff_committed_begin();
}

static void end(const struct ff_slot *slot)
{
	if (!slot->committed || !slot->alone)
		ff_trial_end();
}

static void fork_here(struct ff_slot *slot, ucontext_t *uc, long nr)
{
	const char *why = "clone flags of another kind";
	struct ff_request rq;
	long pid = -1;

	if (ff_parse_request(uc, nr, &rq)) {
		if (begin(slot)) {
			why = try_lazy(slot, uc, &rq, &pid);
			if (pid != 0)
				end(slot);
		} else {
			why = "a thread waits for clone children";
		}
	}
	if (why && slot->deny) {
		deny(slot, uc, why);
		return;
	}
	if (why) {
		abandon_clone(slot, uc, nr,
			      slot->outcome == FF_OUTCOME_BACK ? NULL : why);
		return;
	}
	if (pid == 0 && rq.stack)
		ff_set_stack_pointer(uc, rq.stack);
	else if (pid != 0)
		ff_disarm_in_handler(slot, uc);
	ff_set_result(uc, pid);
}

void ff_parent_call(struct ff_slot *slot, ucontext_t *uc, long nr,
		    bool as_program)
{
	if (!as_program) {
		abandon(slot, uc, nr, "a protection key closes our memory");
		return;
	}
	switch ((enum ff_in_fork)ff_call(nr)->in_fork) {
	case FF_FORK_CLONE:
		fork_here(slot, uc, nr);
		return;
	case FF_FORK_MASK:
		ff_set_result(uc, ff_virtual_mask(slot, uc));
		return;
	case FF_FORK_LOCK:
		if (!ff_wait_for_lock(slot, uc))
			abandon(slot, uc, nr, signal_waits);
		return;
	case FF_FORK_MAKE:
	case FF_FORK_ABANDON:
	case FF_FORK_NEVER:
		abandon(slot, uc, nr, "fork does more than we follow");
		return;
	}
}
