/*
 * execve and execveat of a lazy child. They are made from ff_exec_through(),
 * outside of the handler, with the program's stack and mask: what is in the
 * way of an exec may take as long as it likes, and signals are taken
 * meanwhile as the program would take them, its handlers being mediated like
 * everything else.
 *
 * Hazards
 *  H-X1 A handler that ran, an exec that failed, a longjmp: what comes next
 *       is a call (the handler's return, if nothing else), a fault that is
 *       not served, or a signal of ours. Each of them first moves the state
 *       from EXECING to RUNNING, here and nowhere else.
 *  H-X2 A handler may have SIGSYS or SIGSEGV in its mask. Its first call would
 *       kill it: for the time of the exec, those are taken out of the masks
 *       of handlers. To ask for every handler costs as much as a fork does, so
 *       only for those which were noted when they were installed.
 *  H-X3 A program that has blocked or ignores SIGSYS or SIGSEGV hands that on
 *       to what it execs, so it is in force; then no handler can be mediated.
 *       If none can come the exec is made in our handler, and if one can, the
 *       child leaves before.
 *  H-X4 Frames of handlers that came in show ff_exec_through and our alternate
 *       stack. Before anything else is done with them they are made what the
 *       kernel would have made of them in an ordinary process.
 *  H-X5 An exec that takes too long makes its child one that is not taken back
 *       (H-C5); if it fails, the child may write to what it shares. So none is
 *       made on trial from where that could not be made writable again.
 */
#include "lazy/child/exec.h"

#include <errno.h>
#include <stdatomic.h>

#include "arch/arch.h"
#include "arch/hot.h"
#include "host/sys.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"
#include "lazy/child/pager.h"
#include "lazy/child/watched.h"
#include "lazy/strays.h"
#include "lazy/trap.h"
#include "process/sigsys.h"

/* What handlers may use of the stack before we hear of them, and the frame
 * the kernel makes for one. */
#define FRAMES_BYTES ((uintptr_t)64 << 10)
#define STACK_BYTES ((uintptr_t)32 << 10)

static _Atomic ff_sigset noted FF_HOT;

void ff_exec_note_handler(int sig, ff_sigset mask)
{
	ff_sigset bit;

	if (sig < 1 || sig > FF_SIGNALS || !(mask & FF_NEEDED))
		return;
	bit = FF_SIG(sig);
	if (!(atomic_load(&noted) & bit))
		atomic_fetch_or(&noted, bit);
}

static bool is_handled(int sig)
{
	struct ff_sigaction act = { 0 };

	return sys(rt_sigaction, sig, NULL, &act, sizeof(ff_sigset)) == 0 &&
	       ff_is_handler(&act);
}

/* Could one of the program's handlers run, under this mask? Those for SIGSYS
 * and SIGSEGV are kept in memory. */
static bool handler_may_come(ff_sigset mask)
{
	int sig;

	if ((!(mask & FF_SIG(SIGSEGV)) && ff_is_handler(&ff_child.segv)) ||
	    (!(mask & FF_SIG(SIGSYS)) && ff_is_handler(&ff_child.sys)))
		return true;
	for (sig = 1; sig <= FF_SIGNALS; sig++)
		if (!((mask | FF_NEEDED | FF_UNBLOCKABLE) & FF_SIG(sig)) &&
		    is_handled(sig))
			return true;
	return false;
}

/* H-X2 */
static void open_masks(void)
{
	ff_sigset left = atomic_load(&noted) & ~ff_child.mask & ~FF_NEEDED;
	struct ff_sigaction act;
	int sig;

	ff_child.exec.opened[0] = ff_child.exec.opened[1] = 0;
	for (; left; left &= left - 1) {
		sig = __builtin_ctzll(left) + 1;
		if (sys(rt_sigaction, sig, NULL, &act, sizeof(ff_sigset)) < 0 ||
		    !ff_is_handler(&act) || !(act.mask & FF_NEEDED))
			continue;
		if (act.mask & FF_SIG(SIGSEGV))
			ff_child.exec.opened[0] |= FF_SIG(sig);
		if (act.mask & FF_SIG(SIGSYS))
			ff_child.exec.opened[1] |= FF_SIG(sig);
		act.mask &= ~FF_NEEDED;
		sys(rt_sigaction, sig, &act, NULL, sizeof(ff_sigset));
	}
}

static void close_masks(void)
{
	const ff_sigset *opened = ff_child.exec.opened;
	ff_sigset left = opened[0] | opened[1];
	struct ff_sigaction act;
	int sig;

	for (; left; left &= left - 1) {
		sig = __builtin_ctzll(left) + 1;
		if (sys(rt_sigaction, sig, NULL, &act, sizeof(ff_sigset)) < 0 ||
		    !ff_is_handler(&act))
			continue; /* it was for once */
		if (opened[0] & FF_SIG(sig))
			act.mask |= FF_SIG(SIGSEGV);
		if (opened[1] & FF_SIG(sig))
			act.mask |= FF_SIG(SIGSYS);
		sys(rt_sigaction, sig, &act, NULL, sizeof(ff_sigset));
	}
}

/* What stands at ff_exec_through stands at the program's instruction: before
 * it, or behind it with an answer. What is absent is asked for anew. */
static bool send_back(ucontext_t *uc)
{
	if (ff_exec_is_ahead(uc) ||
	    (ff_exec_is_behind(uc) && ff_result(uc) == -EFAULT)) {
		ff_go_on_at(uc, ff_child.exec.back);
		ff_rewind(uc, ff_child.exec.nr);
		return true;
	}
	if (ff_exec_is_behind(uc))
		ff_go_on_at(uc, ff_child.exec.back);
	return false;
}

/* H-X4: frames in [from, to), which is readable. True: there was one. */
static bool mend_frames(uintptr_t from, uintptr_t to)
{
	const uintptr_t ours = (uintptr_t)ff_house_of(ff_child.slot)->altstack;
	bool found = false;
	ucontext_t *frame;
	uintptr_t at;

	for (at = from; at + sizeof(ucontext_t) <= to; at += sizeof(long)) {
		frame = (ucontext_t *)at;
		if ((uintptr_t)frame->uc_stack.ss_sp != ours ||
		    frame->uc_stack.ss_size != FF_ALTSTACK_BYTES)
			continue;
		send_back(frame);
		frame->uc_stack = ff_child.stack;
		found = true;
	}
	return found;
}

static bool mend_all_frames(const ucontext_t *uc)
{
	const uintptr_t top = ff_child.exec.sp & ~(sizeof(long) - 1);
	const uintptr_t ours = (uintptr_t)ff_house_of(ff_child.slot)->altstack;
	uintptr_t low = top, page;
	bool found;

	while (top - low < FRAMES_BYTES) {
		page = ff_page_floor(low - 1);
		if (!ff_is_readable(page, 1))
			break;
		low = page;
	}
	found = mend_frames(low, top);
	/* handlers that asked for an alternate stack; above this one */
	return mend_frames((uintptr_t)(uc + 1), ours + FF_ALTSTACK_BYTES) ||
	       found;
}

void ff_exec_left(ucontext_t *uc)
{
	const struct ff_exec *exec = &ff_child.exec;
	bool stands_there = ff_exec_is_ahead(uc) || ff_exec_is_behind(uc);

	if (!ff_child_left_exec())
		return;
	/* The mask in force is the program's, a handler's by now. */
	ff_child.mask = *(ff_sigset *)&uc->uc_sigmask;
	send_back(uc);
	if (!stands_there && mend_all_frames(uc))
		ff_child.mask |= (exec->opened[0] ? FF_SIG(SIGSEGV) : 0) |
				 (exec->opened[1] ? FF_SIG(SIGSYS) : 0);
	close_masks();
	*(ff_sigset *)&uc->uc_sigmask = ff_our_mask(ff_child.mask);
}

static void set_action(int sig, const struct ff_sigaction *act)
{
	if (!ff_is_handler(act))
		sys(rt_sigaction, sig, act, NULL, sizeof(ff_sigset));
}

/* Nobody may tell it of a signal while it computes (H-D14). */
static void leave_if_told(ucontext_t *uc)
{
	if (ff_child.committed && atomic_load(&ff_child.shared->leave))
		ff_child_leave(uc, FF_REASON_BUDGET, -1);
}

/* H-X3: made here and now, with no signal to come but what kills, stops or
 * is ignored, SIGSEGV and SIGSYS among them. */
static void exec_in_handler(ucontext_t *uc, long nr)
{
	struct ff_sigaction ignored;
	long rc;

	ff_child_enter_exec();
	set_action(SIGSEGV, &ff_child.segv);
	set_action(SIGSYS, &ff_child.sys);
	ff_setmask(ff_child.mask);
	rc = ff_make(uc, nr);
	ff_setmask(ff_our_mask(ff_child.mask));
	ff_handle(SIGSEGV, ff_on_sigsegv, &ignored);
	ff_trap_again();
	ff_child_left_exec();
	if (rc == -EFAULT) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	ff_answer(uc, rc);
	leave_if_told(uc);
}

static void exec_outside(ucontext_t *uc, long nr)
{
	ff_child.exec.nr = nr;
	ff_child.exec.back = ff_goes_on_at(uc);
	ff_child.exec.sp = ff_stack_pointer(uc);
	open_masks();
	ff_child_enter_exec();
	*(ff_sigset *)&uc->uc_sigmask = ff_child.mask;
	ff_set_result(uc, nr);
	ff_jump(uc, ff_exec_through);
}

static bool is_ignored(const struct ff_sigaction *act)
{
	return (void *)act->handler == (void *)SIG_IGN;
}

static void exec(ucontext_t *uc, long nr, const char *signature)
{
	bool in_force = (ff_child.mask & FF_NEEDED) ||
			is_ignored(&ff_child.segv) || is_ignored(&ff_child.sys);

	if (!ff_serve(uc, nr, signature))
		return;
	/* The kernel does not fault in what is absent for a frame, either. */
	if (ff_fetch(ff_stack_pointer(uc) - STACK_BYTES, STACK_BYTES) < 0) {
		ff_child_leave(uc, FF_REASON_MEMORY, nr);
		return;
	}
	if (ff_thread_is_there()) { /* H-Z6 */
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	/* H-X5 */
	if (!ff_child.committed && !ff_can_unwatch_shared()) {
		ff_child_leave(uc, FF_REASON_SHARED, nr);
		return;
	}
	if (in_force && handler_may_come(ff_child.mask)) {
		ff_child_leave(uc, FF_REASON_SIGNAL, nr);
		return;
	}
	ff_strays_count();
	if (in_force)
		exec_in_handler(uc, nr);
	else
		exec_outside(uc, nr);
}

bool ff_exec_has_failed(ucontext_t *uc)
{
	long rc = ff_result(uc);

	if (!ff_exec_is_behind(uc))
		return false;
	ff_exec_left(uc);
	if (rc == -EFAULT) {
		ff_go_on_at(uc, ff_child.exec.back);
		ff_child_leave(uc, FF_REASON_CALL, ff_child.exec.nr);
	} else {
		leave_if_told(uc);
	}
	return true;
}

void ff_look_execve(ucontext_t *uc, long nr)
{
	exec(uc, nr, "saa");
}

void ff_look_execveat(ucontext_t *uc, long nr)
{
	exec(uc, nr, "fsaa-");
}
