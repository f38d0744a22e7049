/*
 * Between the call of fork and libc's clone the program's fork handlers run,
 * and its signal handlers: free, unmasked, and without anything of ours under
 * way. Our own prepare handler is the first that was registered, so libc runs
 * it last. What follows is libc's alone: it takes its locks, blocks signals,
 * and clones.
 *
 * Hazards
 *  H-E1 Handlers of both kinds may fork. Their child comes back to here as a
 *       copy, for which nothing was intended and which has no slot: whoever
 *       goes on looks whether it still is the process that began.
 *  H-E2 They may leave by longjmp(). The intent stays then, and later forks of
 *       the thread count as made inside another: they are real.
 *  H-E3 They may change the ground (namespaces, a filter, SIGSYS): it is
 *       looked at behind them.
 */
#include "ways/intent.h"

#include <errno.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

#include "host/ground.h"
#include "host/identity.h"
#include "host/sandbox.h"
#include "host/sys.h"
#include "lazy/trap.h"
#include "libc/threads.h"
#include "process/filter.h"
#include "process/gate.h"
#include "tell/options.h"
#include "tell/probe.h"
#include "ways/decide.h"
#include "ways/pass.h"

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif

/* A second. */
#define SLOT_NAP_NS (500L * 1000)
#define SLOT_NAPS 2000

#define LINKER_SYMBOL __attribute__((visibility("hidden")))
extern LINKER_SYMBOL char ff_image_start[] __asm__("__bss_start");
extern LINKER_SYMBOL char ff_image_end[] __asm__("_end");

_Thread_local struct ff_intent *ff_intended
	__attribute__((tls_model("initial-exec")));

static void keep_ours(struct ff_keep *keep)
{
	keep->count = 0;
	keep->stack = (uintptr_t)getauxval(AT_RANDOM); /* lies there */
	keep->range[keep->count++] =
		ff_pages_of((uintptr_t)ff_image_start, (uintptr_t)ff_image_end);
	ff_pages_keep(keep);
}

/*
 * What a lazy child has reserved is not charged as data, so it would get memory
 * that fork's child is refused; and what it reserved could be refused later.
 */
static bool data_is_limited(void)
{
	struct rlimit limit = { .rlim_cur = 0 };

	return sys(prlimit64, 0, RLIMIT_DATA, NULL, &limit) < 0 ||
	       limit.rlim_cur != RLIM_INFINITY;
}

/* Reserved memory can't be made accessible where what is writable may not be
 * made executable. */
static bool memory_may_be_refused(void)
{
	return sys(prctl, PR_GET_MDWE, 0, 0, 0, 0) > 0;
}

static bool is_small_enough(void)
{
	uint64_t resident, writable;

	return ff_process_size(&resident, &writable) &&
	       resident <= ff_options.commit_max_bytes;
}

/*
 * A committed child can't be taken back. So it has to live with what other
 * threads do to memory that it has not looked at yet, or die of it: that is for
 * who has asked for it. And what one that strays would have to copy must not be
 * without end.
 */
static bool may_commit(const struct ff_slot *slot, struct ff_site *site)
{
	return (slot->alone || ff_fork_mode_at(site) == FF_FORK_LAZY) &&
	       !memory_may_be_refused() && is_small_enough();
}

static bool commits(const struct ff_slot *slot, const struct ff_intent *intent)
{
	bool may;

	if (intent->way != FF_WAY_COMMITTED)
		return false;
	may = may_commit(slot, intent->site);
	ff_site_may_commit(intent->site, may);
	return may;
}

/* What is looked at anew for each fork; @status as ff_filter_ground(). */
static const char *why_not_now(char *status)
{
	const char *why = ff_filter_ground(status, FF_NEED_LAZY);

	if (!why)
		why = ff_fork_why_never();
	if (!why && data_is_limited())
		why = "data is limited (RLIMIT_DATA)";
	return why;
}

const char *ff_intent_why_not(void)
{
	char status[FF_GROUND_BYTES];
	stack_t stack = { 0 };
	const char *why = ff_gate_is_unclean() ? FF_GATE_UNCLEAN :
						 why_not_now(status);

	if (!why && sys(sigaltstack, NULL, &stack) == 0 &&
	    stack.ss_flags & SS_ONSTACK)
		why = "on an alternate signal stack";
	return why;
}

/* All signals blocked; @mask was the program's. NULL, or why not. */
static const char *arm(struct ff_intent *intent, ff_sigset mask)
{
	struct ff_slot *slot = ff_slot_take();
	const char *why;

	if (!slot)
		return ff_slots_are_refused() ? "memory for it is refused" :
						"too many forks under way";
	slot->frame = intent->strays ? intent->strays->frame : 0;
	atomic_store(&slot->shared->strays, FF_STRAYS_UNKNOWN);
	/* The handler's stack is not in use yet, and is no loss to a fork. */
	why = why_not_now(ff_house_of(slot)->altstack);
	if (!why) {
		slot->alone = ff_is_alone_by(
			ff_ground_threads(ff_house_of(slot)->altstack));
		slot->filtered =
			ff_ground_filters(ff_house_of(slot)->altstack) != 0;
		slot->may_lower =
			ff_ground_may_lower(ff_house_of(slot)->altstack);
		keep_ours(&slot->keep);
		slot->committed = commits(slot, intent);
		/* What is copied and what is fetched never is one mapping
		 * again, so mremap over both fails (H-P4); in the parent, while
		 * marks stand (H-N3). */
		ff_site_keep_warm(
			slot->committed || !slot->alone ? NULL : intent->site,
			&slot->keep.warm);
		slot->deny = intent->deny;
		slot->comes_out = !intent->bare && ff_pass_trusts_libc();
		why = ff_arm(slot, mask);
	}
	if (why)
		ff_slot_put(slot);
	else
		intent->slot = slot;
	if (!why && slot->committed)
		FF_PROBE(committed,
			 intent->site ? atomic_load(&intent->site->address) :
					0);
	return why;
}

/* In a flight, all signals blocked. False: armed, and so it stays. */
static bool meet(ff_sigset mask)
{
	/* H-E1: a signal handler's child, or a fork handler's that we have not
	 * seen made. */
	struct ff_intent *intent = ff_intended;

	ff_intended = NULL;
	if (intent && ff_identity() == FF_SAME) {
		intent->why = arm(intent, mask);
		ff_passing.slot = intent->slot;
		if (!intent->why)
			return false;
	}
	if (intent || ff_passing.real)
		ff_pass_count(true);
	else
		ff_pass_leave();
	return true;
}

/* As ff_pass_take_turn(), for a slot: a thread that has had its turn may not
 * have had a processor since. It is had without, where that takes too long. */
static bool wait_for_slot(ff_sigset mask)
{
	const struct timespec nap = { 0, SLOT_NAP_NS };
	int naps;

	for (naps = SLOT_NAPS; naps > 0 && ff_slots_are_taken(); naps--) {
		ff_setmask(mask);
		ff_flight_end();
		sys(clock_nanosleep, CLOCK_MONOTONIC, 0, &nap, NULL);
		if (!ff_flight_begin())
			return false;
		ff_filter_block_signals();
	}
	return true;
}

void ff_intent_meet(void)
{
	ff_sigset mask;

	if (ff_passing.met)
		ff_passing.more++;
	if (ff_passing.met || (!ff_intended && !ff_passing.real))
		return;
	ff_passing.met = true;
	if (!ff_flight_begin()) {
		ff_pass_count(false);
		return;
	}
	mask = ff_filter_block_signals();
	if (!ff_pass_take_turn(mask) || (ff_intended && !wait_for_slot(mask))) {
		ff_pass_count(false);
		return;
	}
	if (meet(mask)) {
		ff_setmask(mask);
		ff_flight_end();
	}
}

void ff_intent_meet_now(void)
{
	const int error = errno;

	if (ff_intended)
		ff_intended->bare = true;
	ff_intent_meet();
	errno = error;
}
