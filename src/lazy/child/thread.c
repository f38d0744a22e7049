/*
 * Runs in the child on trial, in the SIGSYS handler; and begins the thread.
 *
 * The thread is one of the kernel's, with the program's flags and words. It
 * begins on a stack of ours and waits. To anybody it is a thread that was not
 * scheduled yet. When its maker waits for its end, it goes on where the program
 * wants it, with its calls mediated as its maker's are; its maker is in the
 * kernel until it has ended. So one of them runs at any time, as on a machine
 * with one processor, and all that is kept of the child is kept of one thread.
 *
 * Hazards
 *  H-Z1 Two that run at once would both write what the child keeps, and the
 *       table of absent areas. One runs only from the moment the other waits
 *       for the word that the kernel clears at the end. Whoever waits for
 *       anything else, or comes back before that end, ends the trial.
 *  H-Z2 The thread has no handler's stack and no dispatch of its own: it gets
 *       both before it runs a line of the program's, with all signals blocked.
 *       Its memory may be absent, its control block and stack too: until then
 *       it touches nothing of them.
 *  H-Z3 It begins with what its maker had at the call: registers, rounding,
 *       mask; without an alternate stack. All but the stack pointer and the
 *       answer are those of the frame that the kernel built for the call.
 *  H-Z4 The kernel writes two words of the program's and says nothing if it
 *       can't: they are there before, and are no shared memory.
 *  H-Z5 Whether there is room for one more is asked again by the real child:
 *       its number of processes is another. An error ends the trial, but for
 *       ENOSYS, which filters of containers say to clone3.
 *  H-Z6 What is kept of the child's descriptors is kept of one table, and a
 *       child in execve may be handed over: with a thread there is neither an
 *       unshared table nor an exec on trial. Nobody is handed over with one.
 */
#include "lazy/child/thread.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/arch.h"
#include "host/sys.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"
#include "lazy/child/pager.h"
#include "lazy/child/watched.h"
#include "process/sigsys.h"

#define FLAGS                                                                \
	((unsigned long)(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
			 CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |       \
			 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID))

/* Of the handler's stack, for the frame of a call. */
#define FRAME_MAX (FF_ALTSTACK_BYTES / 2)
#define BELOW_FRAME ((uintptr_t)256)
/* Of a thread's control block: what a compiler's code looks at (H-Z2). */
#define CONTROL_BYTES 64

bool ff_thread_is_there(void)
{
	return atomic_load(&ff_child.thread.state) != FF_THREAD_NONE;
}

bool ff_thread_runs(void)
{
	return atomic_load(&ff_child.thread.state) == FF_THREAD_RUNS;
}

/* H-Z2: the thread, on our stack. */
static void begin(void *unused)
{
	struct ff_thread *t = &ff_child.thread;

	(void)unused;
	while (atomic_load(&t->state) == FF_THREAD_HELD)
		sys(futex, &t->state, FUTEX_WAIT, FF_THREAD_HELD, NULL, NULL,
		    0);
	if (sys(sigaltstack, &t->frame->uc_stack, NULL) < 0 ||
	    ff_dispatch(true) < 0)
		ff_child_leave(t->frame, FF_REASON_UNARMED, -1);
	ff_go_to(t->frame);
}

/* H-Z4 */
static bool is_word(uintptr_t at)
{
	return at && at % sizeof(uint32_t) == 0 &&
	       ff_fetch(at, sizeof(uint32_t)) == 0 &&
	       ff_is_readable(at, sizeof(uint32_t)) &&
	       !ff_meets_watched(at, sizeof(uint32_t));
}

static bool is_known(const struct ff_thread_wish *wish)
{
	return wish->flags == FLAGS && wish->stack_top &&
	       wish->stack_top <= FF_USER_END && is_word(wish->parent_tid) &&
	       is_word(wish->child_tid) &&
	       ff_fetch(wish->tls, CONTROL_BYTES) == 0;
}

/* H-Z3: the call's frame, on a stack for the thread. */
static bool prepare(const ucontext_t *uc, const struct ff_thread_wish *wish)
{
	const char *top =
		ff_house_of(ff_child.slot)->altstack + FF_ALTSTACK_BYTES;
	struct ff_thread *t = &ff_child.thread;
	const size_t bytes = (size_t)(top - (const char *)uc);
	ucontext_t *frame;
	long at;

	if ((const char *)uc > top || bytes > FRAME_MAX)
		return false;
	at = sys(mmap, NULL, FF_ALTSTACK_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ff_is_error(at))
		return false;
	frame = (ucontext_t *)(at + (long)FF_ALTSTACK_BYTES - (long)bytes);
	memcpy(frame, uc, bytes);
	ff_frame_was_moved(frame, (char *)frame - (const char *)uc);
	ff_set_result(frame, 0);
	ff_set_stack_pointer(frame, wish->stack_top);
	frame->uc_stack =
		(stack_t){ .ss_sp = (void *)at, .ss_size = FF_ALTSTACK_BYTES };
	*(ff_sigset *)&frame->uc_sigmask = ff_our_mask(ff_child.mask);
	t->stack = (uintptr_t)at;
	t->frame = frame;
	t->word = wish->child_tid;
	t->mask = ff_child.mask;
	t->altstack = (stack_t){ .ss_flags = SS_DISABLE };
	return true;
}

static void forget(void)
{
	sys(munmap, ff_child.thread.stack, FF_ALTSTACK_BYTES);
	atomic_store(&ff_child.thread.state, FF_THREAD_NONE);
}

static long make(const struct ff_thread_wish *wish)
{
	const struct ff_thread *t = &ff_child.thread;
	const uintptr_t top =
		((uintptr_t)t->frame - BELOW_FRAME) & ~(uintptr_t)15;
	const struct clone_args args = {
		.flags = wish->flags,
		.parent_tid = wish->parent_tid,
		.child_tid = wish->child_tid,
		.stack = t->stack,
		.stack_size = top - t->stack,
		.tls = wish->tls,
	};

	if (wish->bytes)
		return ff_clone3(&args, wish->bytes, begin, NULL);
	return ff_clone_thread((long)wish->flags, (void *)top,
			       (void *)wish->parent_tid,
			       (void *)wish->child_tid, (void *)wish->tls,
			       begin);
}

void ff_thread_make(ucontext_t *uc, long nr, const struct ff_thread_wish *wish)
{
	struct ff_thread *t = &ff_child.thread;
	ff_sigset mask;
	long tid;

	if (ff_child.committed || ff_thread_is_there() || !is_known(wish) ||
	    !prepare(uc, wish)) {
		ff_child_leave(uc, FF_REASON_CALL, nr);
		return;
	}
	atomic_store(&t->state, FF_THREAD_HELD);
	mask = ff_setmask(~(ff_sigset)0);
	tid = make(wish);
	ff_setmask(mask);
	if (tid == -ENOSYS)
		forget();
	else if (tid < 0) /* H-Z5 */
		ff_child_leave(uc, FF_REASON_CALL, nr);
	t->tid = (pid_t)tid;
	ff_answer(uc, tid);
}

bool ff_thread_is_awaited(const ucontext_t *uc)
{
	const struct ff_thread *t = &ff_child.thread;
	const long op = ff_arg(uc, 1) & FUTEX_CMD_MASK;

	return atomic_load(&t->state) == FF_THREAD_HELD &&
	       (op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET) &&
	       (uintptr_t)ff_arg(uc, 0) == t->word &&
	       (pid_t)ff_arg(uc, 2) == t->tid && !ff_arg(uc, 3);
}

static void change_places(void)
{
	struct ff_thread *t = &ff_child.thread;
	const ff_sigset mask = ff_child.mask;
	const stack_t altstack = ff_child.stack;

	ff_child.mask = t->mask;
	ff_child.stack = t->altstack;
	t->mask = mask;
	t->altstack = altstack;
}

static bool has_its_tid(const struct ff_thread *t)
{
	return atomic_load((_Atomic pid_t *)t->word) == t->tid;
}

void ff_thread_run(ucontext_t *uc, long nr)
{
	struct ff_thread *t = &ff_child.thread;
	long rc;

	change_places();
	atomic_store(&t->state, FF_THREAD_RUNS);
	sys(futex, &t->state, FUTEX_WAKE, 1, NULL, NULL, 0);
	do
		rc = ff_make(uc, nr);
	while (rc == 0 && has_its_tid(t));
	if (atomic_load(&t->state) != FF_THREAD_ENDS) /* H-Z1 */
		ff_child_leave(uc, FF_REASON_CALL, nr);
	change_places();
	forget();
	ff_answer(uc, rc);
}

void ff_thread_end(ucontext_t *uc, long nr)
{
	atomic_store(&ff_child.thread.state, FF_THREAD_ENDS);
	for (;;)
		ff_make(uc, nr);
}
