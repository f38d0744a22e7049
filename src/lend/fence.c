/*
 * Hazards
 *  H-K1 Memory of the fence's key can't be touched in a signal handler of the
 *       program's, whose register is a new one: the parent blocks all signals
 *       before the fence is raised, until it is lowered. The child's handlers
 *       are ours, and begin in assembly (ff_keyed_handler).
 *  H-K2 The key is the program's as soon as the window is over: no page may
 *       keep it. If one can't be given back, the key is never freed, and the
 *       thread's register keeps it open.
 *  H-K3 The kernel writes to the thread's rseq area at any time: that is not
 *       put back. The child has no rseq, so it has nothing to write there.
 *  H-K4 A page that others see (a shared mapping) is never kept: what the
 *       child writes there must stay.
 *  H-K5 A stack that became executable after the first look would lose that.
 *       glibc does so for objects loaded by dlopen() that ask for it, before
 *       2.41; these are hardly to be found on x86-64.
 *  H-K6 What the kernel writes into the kept part of the stack during the
 *       window on behalf of the parent (asynchronous I/O) would be undone.
 *  H-K7 The child may be killed between any two instructions: a page that has
 *       the key, or may be written, is on the list before that.
 *  H-K8 Memory that is empty in a fork's child (MADV_WIPEONFORK) is not in
 *       this one. Where the program has asked for some, no fork is lent; what
 *       libc has of the kernel for itself (the state of its random numbers)
 *       can't be kept on fork, which tells it.
 *  H-K9 Robust locks are on a list that the kernel walks when their owner
 *       ends. The child has none registered, and needs none: what it locks is
 *       put back, or it becomes a fork. That starts with an empty list, as any
 *       does, and gets the child's. No fork is lent by who holds such locks.
 *  H-K10 A program that has keys of its own may give them to memory, which a
 *       child may open, and the fence would not see what it does there: where
 *       ours is not the first key there is, or the register has changed since
 *       the start, nothing is lent.
 *  H-K11 A page of a file that nobody has written follows the file. It would
 *       not any more once the child has written it, whatever is put back.
 *  H-K14 A page that a pipe has as well (vmsplice): a fork's child writes to a
 *       copy of it, this one would write to what is in the pipe. Who gives
 *       pages away is lent nothing from then on.
 *  H-K15 A stack may be in pieces, after a fork that has not put them together
 *       again, and the child begins in one below its parent's frame, where what
 *       is closed to it kills.
 *  And H-K12, H-K13: copied.c.
 */
#include "lend/fence.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/arch.h"
#include "arch/hot.h"
#include "host/fault.h"
#include "host/maps.h"
#include "host/sys.h"
#include "lend/copied.h"
#include "lend/loan.h"
#include "libc/control.h"
#include "libc/rseq.h"
#include "libc/tids.h"

#define READ_WRITE (PROT_READ | PROT_WRITE)
/* Below the stack pointer: the program's, and where ff_let_through() goes on. */
#define RED_ZONE FF_PASS_BACK
/* Nothing but stack is so near below fork's caller: the kernel keeps a gap. */
#define STACK_BYTES ((uintptr_t)512 << 10)
/* Where a child begins, before signals may tell of what is closed. */
#define BEGIN_BYTES ((uintptr_t)16 << 10)
#define FIRST_KEY 1
#define TRIES 3

bool ff_fence_possible(void)
{
	return ff_keys_possible() && !ff_fault(FF_FAULT_NO_KEYS);
}

static bool find_mapping(uintptr_t address, struct ff_mapping *ret)
{
	struct ff_maps maps;
	int rc;

	if (ff_maps_open(&maps) < 0)
		return false;
	maps.next = ff_page_floor(address);
	while ((rc = ff_maps_next(&maps, ret)) > 0 && ret->end <= address)
		;
	ff_maps_close(&maps);
	return rc > 0 && ret->start <= address;
}

/* H-K4, H-K8, H-K11 */
static bool is_plain(uintptr_t page)
{
	struct ff_mapping m;

	return find_mapping(page, &m) && !m.shared && m.prot == READ_WRITE &&
	       (m.anonymous ? !ff_is_droppable(page) : ff_is_copied(page));
}

/* H-K5. Where it was looked at before, it is as it was. */
static bool stack_is_plain(uintptr_t sp)
{
	static struct ff_mapping seen FF_HOT;

	if (seen.start <= sp && sp < seen.end)
		return true;
	if (find_mapping(sp, &seen) && !seen.shared && seen.anonymous &&
	    seen.prot == READ_WRITE)
		return true;
	seen.end = 0;
	return false;
}

/* A signal that we need in the child, and that exec hands on. */
static bool is_ignored(int sig)
{
	struct ff_sigaction act = { 0 };

	return sys(rt_sigaction, sig, NULL, &act, sizeof(act.mask)) < 0 ||
	       (void *)act.handler == (void *)SIG_IGN;
}

static bool paint(struct ff_fence *f, uintptr_t start, uintptr_t end,
		  unsigned grows)
{
	long rc;

	if (start >= end)
		return true;
	rc = sys(pkey_mprotect, start, end - start, READ_WRITE | grows, f->key);
	if (rc == 0 || rc == -ENOMEM) /* H-K2: the first of it may have it */
		f->range[f->ranges++] = (struct ff_fenced){ start, end, grows };
	return rc == 0;
}

/* H-K2: without a page for its lists the kernel refuses, which passes. */
static bool give_common_key(uintptr_t start, uintptr_t end, unsigned grows)
{
	unsigned i;

	for (i = 0; i < TRIES; i++)
		if (sys(pkey_mprotect, start, end - start, READ_WRITE | grows,
			0) == 0)
			return true;
	return false;
}

/* All that has the key gets the common one. */
static bool strip(struct ff_fence *f)
{
	bool done = true;
	unsigned i;

	for (i = 0; i < f->ranges; i++)
		if (!give_common_key(f->range[i].start, f->range[i].end,
				     f->range[i].grows))
			done = false;
	for (i = 0; i < f->pages; i++)
		if (!give_common_key(f->page[i], f->page[i] + FF_PAGE, 0))
			done = false;
	return done;
}

/* The pages that the thread writes without knowing it: errno, our variables of
 * the thread, its control block. */
static bool find_thread(struct ff_fenced *ret)
{
	uintptr_t low = (uintptr_t)&errno, end;

	if ((uintptr_t)&ff_loan < low)
		low = (uintptr_t)&ff_loan;
	end = ff_page_ceiling(ff_thread_pointer() + FF_CONTROL_BYTES);
	ret->start = ff_page_floor(low);
	ret->end = end;
	return low < ff_thread_pointer() &&
	       end - ret->start <= FF_FENCE_THREAD_BYTES;
}

static bool paint_all(struct ff_loan *loan, const struct ff_fenced *thread)
{
	struct ff_fence *f = &loan->fence;

	return paint(f, thread->start, thread->end, 0) &&
	       paint(f, ff_page_floor(loan->caller.sp - BEGIN_BYTES),
		     f->stack_end, PROT_GROWSDOWN) && /* H-K15 */
	       paint(f, (uintptr_t)ff_loan_altstack(loan),
		     ff_page_ceiling((uintptr_t)(loan + 1)), 0);
}

static bool may_stand(struct ff_loan *loan, struct ff_fenced *ret_thread)
{
	struct ff_fence *f = &loan->fence;

	f->keys_were = ff_keys();
	f->tid = ff_control_tid();
	f->robust = ff_control_robust();
	f->stack_end = ff_page_ceiling((uintptr_t)(loan->return_slot + 1));
	return loan->alone && loan->libc.bare_fork && f->tid &&
	       ff_keys_are_as_at_start() && f->robust &&
	       !(loan->mask & FF_NEEDED) &&
	       !(f->keys_were & (FF_KEY_NO_ACCESS(0) | FF_KEY_NO_WRITE(0))) &&
	       f->stack_end - loan->caller.sp <= FF_LOAN_FRAME_BYTES &&
	       find_thread(ret_thread) && !is_ignored(SIGSYS) &&
	       !is_ignored(SIGSEGV) && stack_is_plain(loan->caller.sp);
}

bool ff_fence_raise(struct ff_loan *loan)
{
	struct ff_fence *f = &loan->fence;
	struct ff_fenced thread;
	long key;

	if (!may_stand(loan, &thread))
		return false;
	key = sys(pkey_alloc, 0, 0);
	if (key < 0)
		return false;
	/* The kernel has opened it already, on this thread. */
	if (key != FIRST_KEY) { /* H-K10 */
		sys(pkey_free, key);
		ff_set_keys(f->keys_were);
		return false;
	}
	f->key = (int)key;
	f->stands = true;
	if (!paint_all(loan, &thread)) {
		ff_fence_lower(loan);
		return false;
	}
	memcpy(loan->kept.thread, (void *)thread.start,
	       thread.end - thread.start);
	loan->frame_bytes = f->stack_end - loan->caller.sp;
	loan->args_bytes = 0; /* within that, if they matter */
	return true;
}

/* The program's register, but that the fence's key is open. */
static uint32_t open_keys(const struct ff_fence *f)
{
	return f->keys_were &
	       ~(FF_KEY_NO_ACCESS(f->key) | FF_KEY_NO_WRITE(f->key));
}

void ff_fence_close(struct ff_loan *loan)
{
	const struct ff_fence *f = &loan->fence;
	uint32_t keys = open_keys(f);
	int key;

	*f->tid = FF_LENT_TID;
	for (key = 0; key < FF_KEYS; key++)
		if (key != f->key)
			keys |= FF_KEY_NO_WRITE(key);
	ff_set_keys(keys);
}

void ff_fence_open(struct ff_loan *loan)
{
	if (loan->fence.stands)
		ff_set_keys(open_keys(&loan->fence));
}

bool ff_fence_mend(struct ff_loan *loan, uintptr_t address)
{
	struct ff_fence *f = &loan->fence;
	uintptr_t page = ff_page_floor(address);

	if (f->pages == FF_FENCE_PAGES || !is_plain(page)) /* H-K4 */
		return false;
	memcpy(loan->kept.page[f->pages], (void *)page, FF_PAGE);
	f->page[f->pages] = page;
	/* H-K7 */
	atomic_signal_fence(memory_order_seq_cst);
	f->pages++;
	if (sys(pkey_mprotect, page, FF_PAGE, READ_WRITE, f->key) == 0)
		return true;
	f->pages--;
	return false;
}

bool ff_fence_holds(const struct ff_loan *loan, uintptr_t sp, uintptr_t address,
		    size_t bytes)
{
	const struct ff_fenced *thread = &loan->fence.range[0];
	uintptr_t end = address + bytes;

	if (end < address)
		return false;
	if (address >= thread->start && end <= thread->end)
		return true;
	return loan->caller.sp - sp <= STACK_BYTES &&
	       address >= sp - RED_ZONE && end <= loan->fence.stack_end;
}

void ff_fence_lower(struct ff_loan *loan)
{
	struct ff_fence *f = &loan->fence;

	if (!f->stands)
		return;
	f->stands = false;
	if (strip(f)) {
		sys(pkey_free, f->key);
		ff_set_keys(f->keys_were);
	} else {
		ff_set_keys(open_keys(f)); /* H-K2 */
	}
}

static void put_thread_back(const struct ff_loan *loan)
{
	const struct ff_fenced *r = &loan->fence.range[0];
	uint64_t *now = (uint64_t *)r->start;
	const uint64_t *was = (const uint64_t *)loan->kept.thread;
	uintptr_t rseq = ff_rseq_area();
	size_t i;

	for (i = 0; i < (r->end - r->start) / sizeof(*now); i++)
		if (now[i] != was[i] &&
		    (uintptr_t)&now[i] - rseq >= FF_RSEQ_BYTES) /* H-K3 */
			now[i] = was[i];
}

static bool put_page_back(uint64_t *now, const uint64_t *was)
{
	bool changed = false;
	size_t i;

	for (i = 0; i < FF_PAGE / sizeof(*now); i++) {
		if (now[i] == was[i])
			continue;
		now[i] = was[i];
		changed = true;
	}
	return changed;
}

unsigned ff_fence_put_back(struct ff_loan *loan)
{
	struct ff_fence *f = &loan->fence;
	unsigned i, changed = 0;

	put_thread_back(loan);
	for (i = 0; i < f->pages; i++)
		changed += put_page_back((uint64_t *)f->page[i],
					 (uint64_t *)loan->kept.page[i]);
	return changed;
}

void ff_fence_note(struct ff_loan *loan)
{
	struct ff_fence *f = &loan->fence;

	memcpy(f->held, f->robust - 1, sizeof(f->held));
}

void ff_fence_adopt(struct ff_loan *loan)
{
	struct ff_fence *f = &loan->fence;
	const struct ff_fenced *thread = &f->range[0];
	const pid_t now = ff_gettid();
	unsigned i;

	memcpy(f->robust - 1, f->held, sizeof(f->held));
	ff_tids_change((void *)thread->start, thread->end - thread->start, now);
	if (loan->stack_in_use < f->stack_end)
		ff_tids_change((void *)(loan->stack_in_use & ~(uintptr_t)7),
			       f->stack_end - loan->stack_in_use, now);
	for (i = 0; i < f->pages; i++)
		ff_tids_change((void *)f->page[i], FF_PAGE, now);
}
