/*
 * A fork, whichever way it goes. Runs on the program's stack, in any thread,
 * possibly in a signal handler: no lock is waited for but the gate's, nothing
 * is allocated.
 */
#include "ways/fork.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/hot.h"
#include "host/clock.h"
#include "host/identity.h"
#include "host/newborn.h"
#include "host/sandbox.h"
#include "lazy/child/child.h"
#include "lazy/slot.h"
#include "lazy/strays.h"
#include "lazy/trap.h"
#include "process/filter.h"
#include "process/gate.h"
#include "process/stance.h"
#include "process/standins.h"
#include "process/stopwatch.h"
#include "site/site.h"
#include "tell/options.h"
#include "tell/probe.h"
#include "tell/stats.h"
#include "ways/account.h"
#include "ways/cost.h"
#include "ways/decide.h"
#include "ways/ending.h"
#include "ways/intent.h"
#include "ways/pass.h"
#include "ways/settings.h"

/* How often this memory became another process's: a copy of a thread that was
 * inside a fork finds that it is not the one that began (H-E1). */
static unsigned generation FF_HOT;

/* Each takes a signal, or lets another thread go on. */
#define DENIED_TRIES 100

static bool has_handler FF_HOT;

static void be_another(void)
{
	generation++;
	ff_intended = NULL;
}
FF_IN_NEW_PROCESS(be_another);

/* The child of a real fork: nothing of ours is in force. */
static void real_child(struct ff_site *site)
{
	ff_new_process();
	ff_site_born_real(site);
}

/* Are we who began, and not a copy that a handler made? */
static bool is_still(unsigned born)
{
	return generation == born && !ff_mediated;
}

/* libc's, whatever was intended when a handler made it (H-E1). */
static long call_real(ff_forking_call call, void *arg)
{
	struct ff_intent *outer = ff_intended;
	unsigned born = generation;
	long pid;

	ff_intended = NULL;
	pid = call(arg);
	if (pid != 0 && is_still(born))
		ff_intended = outer;
	return pid;
}

/* No system call but libc's. Nothing of ours is used in the child. */
static long fork_silently(ff_forking_call call, void *arg)
{
	const struct ff_pass before = ff_pass_begin();
	unsigned born = generation;
	long pid = -1;

	ff_pass_count(false);
	if (ff_gate_is_unclean())
		errno = ENOMEM;
	else
		pid = call_real(call, arg);
	if (pid == 0)
		ff_new_process_silently();
	else if (is_still(born))
		ff_pass_end(&before);
	return pid;
}

static void child_of_real(struct ff_site *site)
{
	if (ff_flight_begin())
		real_child(site);
	else
		ff_new_process_silently();
}

/* What a fork is to the program. */
struct fork {
	ff_forking_call call;
	void *arg;
	bool bare; /* libc runs no handlers in it */
	struct ff_account account;
	struct ff_strays *strays; /* or NULL */
};

static long fork_real(const struct fork *fork, struct ff_site *site)
{
	const struct ff_pass before = ff_pass_begin_real();
	unsigned born = generation;
	int64_t took_ns;
	long pid;

	if (fork->bare)
		ff_intent_meet_now();
	else if (!has_handler)
		ff_pass_count_now();
	pid = call_real(fork->call, fork->arg);
	if (pid == 0) {
		child_of_real(site);
		return 0;
	}
	took_ns = is_still(born) ? ff_pass_end(&before) : 0;
	if (pid > 0 && took_ns)
		ff_cost_of_real(took_ns);
	if (pid > 0)
		ff_account_real(&fork->account, site);
	return pid;
}

/* All signals blocked. */
static void settle(const struct fork *fork, struct ff_intent *intent, long pid)
{
	struct ff_slot *slot = intent->slot;

	if (!slot) {
		if (intent->why)
			ff_account_reason(&fork->account.call, intent->why);
		if (pid > 0)
			ff_account_real(&fork->account, intent->site);
	} else if (slot->denied && slot->passes && !intent->last) {
		intent->again = true;
	} else {
		ff_account(slot, intent->site, pid, &fork->account);
	}
	if (fork->strays && slot && slot->outcome == FF_OUTCOME_EXEC)
		fork->strays->pages = atomic_load(&slot->shared->strays);
	else if (fork->strays)
		fork->strays->frame = 0;
	if (slot)
		ff_slot_put(slot);
}

/* In the parent, unless a handler's child has come here (H-E1). */
static void come_back(const struct fork *fork, struct ff_intent *intent,
		      unsigned born, long pid)
{
	ff_sigset mask;

	/* A filter has come with the handlers, or behind the clone. */
	if (!ff_flight_begin()) {
		ff_intended = NULL;
		ff_pass_leave();
		return;
	}
	mask = ff_filter_block_signals();
	if (is_still(born)) {
		ff_intended = NULL;
		if (ff_current) {
			/* libc gave up before its clone. */
			mask = ff_current->mask;
			ff_disarm(ff_current);
		}
		ff_pass_leave();
		settle(fork, intent, pid);
	}
	ff_setmask(mask);
	ff_flight_end();
}

static long fork_lazy(const struct fork *fork, struct ff_intent *intent)
{
	const struct ff_pass before = ff_pass_begin();
	unsigned born = generation;
	int error;
	long pid;

	ff_intended = intent;
	if (fork->bare)
		ff_intent_meet_now();
	pid = fork->call(fork->arg);
	if (pid == 0) {
		ff_intended = NULL;
		ff_pass_reset();
		/* A real child has no slot. A lazy one is mediated until it
		 * execs, or was let go already. */
		if (!intent->slot || ff_child.slot != intent->slot)
			child_of_real(intent->site);
		return 0;
	}
	error = errno;
	if (is_still(born)) {
		come_back(fork, intent, born, pid);
		ff_pass_end(&before);
	}
	errno = error;
	return pid;
}

/* It would be a copy, and none is wanted: the fork fails. */
static long fork_denied(const struct fork *fork, const char *why)
{
	if (fork->strays)
		fork->strays->frame = 0;
	ff_account_denied(&fork->account.call,
			  ff_gate_is_unclean() ? FF_GATE_UNCLEAN : why);
	ff_flight_end();
	errno = ENOMEM;
	return -1;
}

/* A flight in which calls of ours may be made. */
static bool begin(void)
{
	if (!ff_flight_begin())
		return false;
	if (ff_may_begin())
		return true;
	ff_flight_end();
	return false;
}

static long fork_once(struct fork *fork, struct ff_intent *intent)
{
	const char *why = NULL;
	int error = errno;
	bool ours;
	long pid;

	ff_fork_setup();
	ff_settings_complete();
	if (!ff_is_on())
		return fork->call(fork->arg);
	if (!begin()) {
		if (fork->strays)
			fork->strays->frame = 0;
		if (ff_filter_is_there() && ff_copies_are_denied()) {
			errno = ENOMEM;
			return -1;
		}
		errno = error;
		return fork_silently(fork->call, fork->arg);
	}
	ours = ff_is_our_process();
	if (ours) {
		fork->account.from = ff_stopwatch_start();
		ff_standins_reap();
		intent->site = ff_site_of(fork->account.call.at);
		ff_sites_listen();
		why = fork->bare || has_handler ?
			      ff_why_real(intent->site, &intent->way) :
			      "no fork handler of ours";
		intent->deny = ff_copies_are_denied();
		if (intent->deny && !why)
			why = ff_intent_why_not();
		if (why && intent->deny)
			return fork_denied(fork, why);
		if (why)
			ff_account_reason(&fork->account.call, why);
	}
	ff_flight_end();
	errno = error;
	if (!ours || why) {
		if (fork->strays)
			fork->strays->frame = 0;
		pid = fork_real(fork, intent->site);
		if (pid >= 0 || errno != ENOMEM || !ff_cost_gives_up(why))
			return pid;
		/* It is refused a copy that it need not have had. */
		errno = error;
		*intent = (struct ff_intent){ .strays = fork->strays,
					      .last = intent->last };
		return fork_once(fork, intent);
	}
	FF_PROBE(decided, fork->account.call.at, fork->account.call.name,
		 intent->way == FF_WAY_COMMITTED ? "committed" : "lazy", "");
	return fork_lazy(fork, intent);
}

/* Where a copy is denied, what passes (a signal that waits) is no reason to
 * fail: libc has undone its fork, and begins anew. */
static long fork_any(struct fork *fork)
{
	struct ff_intent intent;
	unsigned tries = 0;
	long pid;

	do {
		intent = (struct ff_intent){ .strays = fork->strays,
					     .last = ++tries == DENIED_TRIES };
		pid = fork_once(fork, &intent);
	} while (pid < 0 && intent.again);
	return pid;
}

void ff_fork_is_met(bool by_libc)
{
	if (by_libc)
		ff_pass_trust_libc();
	has_handler = true;
}

long ff_fork_watched(ff_forking_call call, void *arg,
		     const void *return_address, const char *name,
		     struct ff_strays *strays)
{
	struct fork fork = { call, arg, false, { { return_address, name }, 0 },
			     strays };

	return fork_any(&fork);
}

long ff_fork(ff_forking_call call, void *arg, const void *return_address,
	     const char *name)
{
	return ff_fork_watched(call, arg, return_address, name, NULL);
}

long ff_fork_bare(ff_forking_call call, void *arg, const void *return_address,
		  const char *name)
{
	struct fork fork = { call, arg, true, { { return_address, name }, 0 },
			     NULL };

	return fork_any(&fork);
}

static const char never_execs[] = "its child never execs";

static long fork_anyway(struct fork *fork)
{
	const char *why = never_execs;
	struct ff_site *site = NULL;

	ff_fork_setup();
	ff_settings_complete();
	if (!ff_is_on())
		return fork->call(fork->arg);
	if (!begin())
		return fork_silently(fork->call, fork->arg);
	if (ff_is_our_process()) {
		if (ff_copies_are_denied())
			return fork_denied(fork, why);
		fork->account.from = ff_stopwatch_start();
		ff_account_reason(&fork->account.call, why);
		site = ff_site_of(fork->account.call.at);
		ff_sites_listen();
	}
	ff_flight_end();
	return fork_real(fork, site);
}

long ff_fork_real_bare(ff_forking_call call, void *arg,
		       const void *return_address, const char *name)
{
	struct fork fork = { call, arg, true, { { return_address, name }, 0 },
			     NULL };

	return fork_anyway(&fork);
}

long ff_fork_real_and_end(ff_forking_call call, void *arg,
			  const void *return_address, const char *name)
{
	struct fork fork = { call, arg, false, { { return_address, name }, 0 },
			     NULL };

	ff_fork_setup();
	ff_settings_complete();
	/* Told ahead. Where the call comes back it is taken back, as it failed:
	 * what is told later is one less. */
	if (ff_in_force()) {
		ff_account_ahead(&fork.account.call, never_execs, 1);
		ff_ending(FF_ENDING_WORDS);
		ff_account_ahead(&fork.account.call, never_execs, -1);
	}
	return fork_anyway(&fork);
}
