/*
 * Hazard
 *  H-Y6 Threads may each have put themselves under a filter of their own, past
 *       us: how many they are says nothing of what they allow.
 */
#include "process/filter.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "arch/hot.h"
#include "host/ground.h"
#include "host/newborn.h"
#include "host/pidns.h"
#include "host/sandbox.h"
#include "host/signals.h"
#include "host/sys.h"
#include "process/asker.h"
#include "process/sigsys.h"
#include "process/trials.h"
#include "tell/log.h"
#include "tell/options.h"

/* How many filters there are. */
#define NOT_LOOKED (-2)
#define UNTOLD (-1)   /* strict mode, or /proc does not say */
#define UNSHARED (-3) /* no thread is known to have those of others */

#define IN_FORCE "seccomp is in force"
#define NOT_NOW "seccomp is in force, and can't be asked now"
#define NOT_TOLD "/proc does not tell whether seccomp is in force"
#define TRAPS "seccomp is in force, and the program handles SIGSYS"

/* Of this thread, counted so that 0 is not looked at. */
static _Thread_local int own __attribute__((tls_model("initial-exec")));
/* Of the threads that share what is known. */
static _Atomic int shared FF_HOT = NOT_LOOKED;

/* Is a thread asking, and do others wait for it? */
#define NOBODY 0u
#define ASKED 1u
#define AWAITED 2u
static _Atomic uint32_t asking FF_HOT;
/* It was waited for in vain: whoever asks is stuck, or another process's. */
static _Atomic bool is_stuck FF_HOT;

/* How long others wait. */
#define PATIENCE_NS ((int64_t)1000 * 1000 * 1000)
#define SLICE_NS (50L * 1000 * 1000)

/* Who was asking is the parent's. */
static void reset(void)
{
	atomic_store(&asking, NOBODY);
	atomic_store(&is_stuck, false);
}
FF_IN_NEW_PROCESS(reset);

/* One thread at a time. */
static bool begin(void)
{
	uint32_t seen = NOBODY;

	return atomic_compare_exchange_strong(&asking, &seen, ASKED);
}

static void end(void)
{
	atomic_store(&is_stuck, false);
	if (atomic_exchange(&asking, NOBODY) == AWAITED)
		sys(futex, &asking, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* In libc's fork, too, those that fork at once wait by a futex (for the lock of
 * all streams); others may wait where that is known to be allowed. */
static bool may_await(unsigned need)
{
	return need & (FF_NEED_LAZY | FF_NEED_FENCE | FF_FOR_FORK) ||
	       ff_ask_answer(FF_ASK_futex) == FF_ALLOWED;
}

/* Until the other thread that asks is done, or a signal comes; since *since_ns,
 * 0 at first. False: not any longer. */
static bool await(unsigned need, int64_t *since_ns)
{
	const struct timespec slice = { 0, SLICE_NS };
	const int64_t now = ff_asker_now_ns();
	uint32_t seen = ASKED;

	if (!*since_ns)
		*since_ns = now;
	if (now - *since_ns > PATIENCE_NS)
		atomic_store(&is_stuck, true);
	if (atomic_load(&is_stuck) || !may_await(need))
		return false;
	if (atomic_compare_exchange_strong(&asking, &seen, AWAITED) ||
	    seen == AWAITED)
		sys(futex, &asking, FUTEX_WAIT_PRIVATE, AWAITED, &slice, NULL,
		    0);
	return true;
}

/* Where the program handles no signal nothing has to be blocked (H-Y3): who
 * blocks signals has a call for it. */
static bool ask(unsigned need, const char *status)
{
	const bool handles = ff_ground_caught(status) != 0;
	/* SIGSYS is handled by who only returns, if at all: should the clone be
	 * trapped it goes on from there, and blocked it would be the end. */
	const ff_sigset all = ~FF_SIG(SIGSYS);
	ff_sigset mask = 0;
	int64_t since_ns = 0;
	bool done = false;

	while (!begin()) {
		if (!await(need, &since_ns))
			return false;
		if (ff_ask_is_answered(need))
			return true;
	}
	if (handles)
		sys(rt_sigprocmask, SIG_BLOCK, &all, &mask, sizeof(mask));
	if (ff_trial_begin()) {
		done = ff_ask(need, false) == 0;
		ff_trial_end();
	}
	if (handles)
		ff_setmask(mask);
	end();
	return done;
}

/* Without a look, where none is needed: threads are as all are. */
static int known_filters(void)
{
	return !own && ff_is_unfiltered() ? 0 : own + NOT_LOOKED;
}

/* H-Y6. @is_alone: what this thread has, all later ones will have. */
static bool is_noted(int now, bool is_alone)
{
	const int before = atomic_load(&shared);

	return is_alone ? before == now : before != NOT_LOOKED;
}

/* One thread at a time. */
static void share(int now)
{
	atomic_store(&shared, now);
	if (now == 0)
		atomic_fetch_or(&ff_filters, FF_FILTERS_NONE);
	else
		atomic_fetch_and(&ff_filters, ~FF_FILTERS_NONE);
}

static bool note_for_all(int now, bool is_alone, unsigned need)
{
	int64_t since_ns = 0;

	while (!is_noted(now, is_alone)) {
		if (!begin()) {
			if (!await(need, &since_ns))
				return false;
			continue;
		}
		if (!is_noted(now, is_alone)) {
			ff_ask_for_thread(false);
			ff_ask_forget();
			share(is_alone || now == 0 ? now : UNSHARED);
		}
		end();
	}
	return true;
}

/* Of this thread, which has @status; @need as in await(). */
static bool note(const char *status, unsigned need)
{
	const int now = ff_ground_filters(status);
	bool differs;

	if (own == now - NOT_LOOKED)
		return true;
	if (!note_for_all(now, ff_ground_threads(status) == 1, need))
		return false;
	differs = now != 0 && now != atomic_load(&shared);
	if (differs)
		atomic_fetch_or(&ff_filters, FF_FILTERS_OTHERS);
	ff_ask_for_thread(differs);
	if (differs)
		ff_ask_forget();
	own = now - NOT_LOOKED;
	return true;
}

static const char *why_refused(int now)
{
	return now == UNTOLD || ff_options.seccomp_mode == FF_SECCOMP_REFUSE ||
			       ff_ask_is_lost() ?
		       IN_FORCE :
		       NULL;
}

/* What ends who asks does not end its parent, unless a filter traps the clone
 * that is for that, and the program goes on from there (H-Y2). */
static bool may_be_trapped(const char *status)
{
	return (ff_ground_caught(status) & FF_SIG(SIGSYS)) &&
	       ff_sigsys_is_handled();
}

/* By the thread's status. A tracer would see who asks. */
static const char *judge(const char *status, unsigned need)
{
	const char *why;
	int now;

	if (!note(status, need))
		return NOT_NOW;
	now = known_filters();
	if (now == 0)
		return NULL;
	why = why_refused(now);
	if (why || ff_ask_is_answered(need))
		return why ? why : ff_ask_why_not(need);
	if (may_be_trapped(status))
		return TRAPS;
	if (ff_ground_is_traced(status) || !ask(need, status))
		return NOT_NOW;
	return ff_ask_is_lost() ? IN_FORCE : ff_ask_why_not(need);
}

const char *ff_filter_why_not(unsigned need)
{
	char status[FF_GROUND_BYTES];
	const int now = known_filters();

	if (now == 0)
		return NULL;
	if (now != NOT_LOOKED && why_refused(now))
		return IN_FORCE;
	if (now != NOT_LOOKED && ff_ask_is_answered(need))
		return ff_ask_why_not(need);
	return ff_ground_read(status) < 0 ? NOT_TOLD : judge(status, need);
}

const char *ff_filter_ground(char *status, unsigned need)
{
	const char *why = ff_ground_now(status);

	if (!why)
		why = judge(status, need);
	if (!why && ff_next_child_is_init())
		why = "the child would be a pid namespace's init";
	return why;
}

bool ff_filter_is_there(void)
{
	char status[FF_GROUND_BYTES];

	if (known_filters() == NOT_LOOKED && ff_ground_read(status) == 0)
		note(status, 0);
	return known_filters() != 0;
}

ff_sigset ff_filter_block_signals(void)
{
	return ff_filter_is_there() ? ff_block_signals() :
				      ff_block_with_sigsys();
}

int ff_filter_must_block(void)
{
	char status[FF_GROUND_BYTES];

	if (!ff_filter_is_there())
		return 1;
	if (known_filters() == NOT_LOOKED || ff_ground_read(status) < 0)
		return -1;
	/* It can't be blocked, and would find all others blocked. */
	if (may_be_trapped(status))
		return -1;
	return ff_ground_caught(status) != 0;
}

static unsigned needed_to_tell(void)
{
	return ff_options.log || ff_options.stats || ff_options.warn_rss_bytes ?
		       FF_NEED_TELL :
		       0;
}

/* Where nobody may ask, or /proc does not tell, what the user wants to hear of
 * it is told all the same. */
static bool is_told_unasked(void)
{
	const int now = known_filters();

	return now == NOT_LOOKED || now == UNTOLD ||
	       ff_options.seccomp_mode == FF_SECCOMP_REFUSE;
}

bool ff_filter_lets_tell(void)
{
	return !ff_filter_is_there() || is_told_unasked() ||
	       ff_ask_allows(FF_NEED_TELL);
}

/* Why is said only where it may be. */
static void leave_all(const char *why)
{
	if (ff_log_wanted() && ff_ask_allows(FF_NEED_TELL))
		ff_log("from now on all is libc's: %s", why);
	atomic_store(&ff_sandboxed, true);
}

bool ff_filter_lets_us(bool is_small, bool for_fork)
{
	const unsigned need = FF_NEED_IDENTITY | needed_to_tell() |
			      (for_fork ? FF_FOR_FORK : 0);
	const char *why;

	if (!ff_filter_is_there())
		return true;
	if (is_told_unasked())
		return needed_to_tell();
	if (is_small && !needed_to_tell())
		return false;
	if (ff_ask_allows(need) && !ff_ask_is_lost())
		return true;
	why = ff_filter_why_not(need);
	if (why && (ff_ask_why_not(need) || why_refused(known_filters())))
		leave_all(why);
	return !why;
}

bool ff_filter_allows(enum ff_ask which)
{
	return known_filters() == 0 || ff_ask_answer(which) == FF_ALLOWED;
}
