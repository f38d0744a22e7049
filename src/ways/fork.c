/*
 * Which way a fork goes, and what is written down of it. Runs on the
 * program's stack, in any thread, possibly in a signal handler: no lock is
 * waited for but the gate's, nothing is allocated.
 */
#include "ways/fork.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/hot.h"
#include "host/environment.h"
#include "host/fault.h"
#include "host/ground.h"
#include "host/identity.h"
#include "host/newborn.h"
#include "host/pidns.h"
#include "host/privilege.h"
#include "host/sandbox.h"
#include "host/sys.h"
#include "host/threads.h"
#include "lazy/child/child.h"
#include "lazy/parent/marks.h"
#include "lazy/slot.h"
#include "lazy/strays.h"
#include "lazy/trap.h"
#include "libc/place.h"
#include "process/gate.h"
#include "process/handed.h"
#include "process/sigsys.h"
#include "process/stance.h"
#include "process/standins.h"
#include "process/trials.h"
#include "site/name.h"
#include "site/site.h"
#include "tell/log.h"
#include "tell/options.h"
#include "tell/stats.h"
#include "ways/ending.h"
#include "ways/intent.h"

/* Writable memory that makes a process big although it is not resident: it
 * counts against what fork may promise. */
#define WRITABLE_IS_BIG ((uint64_t)1 << 30)

static _Atomic bool is_set_up FF_HOT;
static const char *_Atomic why_never;

/* How often this memory became another process's: a copy of a thread that was
 * inside a fork finds that it is not the one that began (H-E1). */
static unsigned generation FF_HOT;

static bool has_handler FF_HOT;

/* To load a library takes a libc that has begun. */
void ff_fork_setup_names(void)
{
	if (ff_libc_has_begun() && ff_log_wanted())
		ff_site_names_prepare();
}

void ff_fork_setup(void)
{
	if (atomic_load(&is_set_up))
		return;
	if (!ff_is_privileged() && ff_comes_before_libc())
		ff_options_load(ff_environment());
	if (!ff_options.on) {
		atomic_store(&is_set_up, true);
		return;
	}
	ff_faults_load_from_environment();
	if ((ff_options.log && ff_log_is_stderr(ff_options.log)) ||
	    (ff_options.stats && ff_log_is_stderr(ff_options.stats)))
		ff_log_note_stderr();
	ff_pidns_watch();
	ff_fork_setup_names();
	/* Whose counters they are, however its children are made. */
	if (ff_options.stats)
		ff_identity_take();
	atomic_store(&is_set_up, true);
}

void ff_fork_real_from_now(const char *why)
{
	atomic_store(&why_never, why);
}

void ff_fork_never_lazily(const char *why)
{
	ff_fork_real_from_now(why);
	if (!atomic_load(&ff_sandboxed))
		ff_flights_await();
}

const char *ff_fork_why_never(void)
{
	return atomic_load(&why_never);
}

/* What was missing when the program was started; NULL: nothing. Asked at the
 * first fork: a program that makes none makes no system call of ours. */
static const char *no_ground(void)
{
	static _Atomic bool known FF_HOT;
	static const char *why FF_HOT;

	if (!atomic_load(&known)) {
		why = ff_ground_at_start();
		atomic_store(&known, true);
	}
	return why;
}

static void be_another(void)
{
	generation++;
	ff_intended = NULL;
}
FF_IN_NEW_PROCESS(be_another);

/*
 * Forks that nobody told us of (libc's own, raw ones) leave a child with
 * its parent's state. False: this is somebody else's memory (vfork).
 */
static bool is_our_process(void)
{
	switch (ff_identity()) {
	case FF_BORROWED:
		return false;
	case FF_COPY:
		ff_new_process();
		/* fall through */
	case FF_SAME:
		break;
	}
	return ff_identity_take_to_fork();
}

void ff_fork_memory_is_shared(void)
{
	int error = errno;

	ff_fork_setup();
	if (ff_in_force())
		is_our_process();
	errno = error;
}

static bool is_inside_another(void)
{
	return ff_current || ff_intended;
}

/* Why this fork has to be real; NULL: it may be lazy. */
static const char *why_real(struct ff_site *site, enum ff_way *ret_way)
{
	uint64_t resident = 0, writable = 0;
	const char *why;

	*ret_way = FF_WAY_REAL;
	if (ff_options.fork_mode == FF_FORK_REAL)
		return "asked for";
	why = no_ground();
	if (!why)
		why = ff_fork_why_never();
	if (why)
		return why;
	if (!ff_dispatch_possible())
		return "no syscall user dispatch";
	if (is_inside_another())
		return "inside another fork";
	if (ff_site_is_late(site))
		return "parents here change their children before exec";
	if (ff_options.fork_mode == FF_FORK_AUTO) {
		if (!ff_process_size(&resident, &writable))
			return "/proc does not tell the size";
		if (resident < ff_options.min_rss_bytes &&
		    writable < WRITABLE_IS_BIG)
			return "small process";
	}
	*ret_way = ff_site_predict(site);
	if (*ret_way == FF_WAY_REAL && ff_options.fork_mode == FF_FORK_AUTO)
		return "children of this site do not exec";
	if (*ret_way == FF_WAY_REAL)
		*ret_way = FF_WAY_TRIAL;
	return NULL;
}

const char *ff_why_not_lend(void)
{
	const char *why;

	ff_fork_setup();
	if (!ff_in_force())
		return "";
	why = no_ground();
	if (why)
		return why;
	if (!ff_dispatch_possible())
		return "no syscall user dispatch";
	if (is_inside_another())
		return "inside another fork";
	return is_our_process() ? NULL : "in borrowed memory";
}

static void log_real(const char *name, const void *at, const char *why)
{
	char where[FF_SITE_NAME_MAX];

	if (ff_log_wanted())
		ff_log("%s at %s: real: %s", name, ff_site_name(at, where),
		       why);
}

static const char *reason_text(uint32_t reason)
{
	static const char *const text[] = {
#define X(id, words, commits) words,
		FF_REASONS(X)
#undef X
	};

	return reason < sizeof(text) / sizeof(text[0]) ? text[reason] : "";
}

static void log_lazy(const struct ff_slot *slot, const char *name,
		     const void *at)
{
	const struct ff_shared *sh = slot->shared;
	char where[FF_SITE_NAME_MAX];

	if (!ff_log_wanted())
		return;
	ff_site_name(at, where);
	if (slot->outcome == FF_OUTCOME_BACK)
		ff_log("%s at %s: real: rolled back: child %s (call %d, "
		       "%u faults)",
		       name, where, reason_text(slot->reason), slot->call,
		       (unsigned)sh->faults);
	else
		ff_log("%s at %s: lazy%s: %s%s (%u areas, %lu MiB absent, "
		       "%u faults, %u calls, %lu KiB fetched)",
		       name, where, slot->committed ? ", committed" : "",
		       slot->outcome == FF_OUTCOME_EXEC	    ? "child exec'ed" :
		       slot->outcome == FF_OUTCOME_RELEASED ? "let go: child " :
							      "child ended",
		       slot->outcome == FF_OUTCOME_RELEASED ?
			       reason_text(slot->reason) :
			       "",
		       slot->areas.count,
		       (unsigned long)(slot->areas.absent_bytes >> 20),
		       (unsigned)sh->faults, (unsigned)sh->calls,
		       (unsigned long)(sh->fetched_bytes >> 10));
}

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
	unsigned born = generation;
	long pid;

	ff_gate_enter_real();
	pid = call_real(call, arg);
	if (pid == 0)
		ff_gate_reset();
	else if (is_still(born))
		ff_gate_leave_real();
	return pid;
}

static void child_of_real(struct ff_site *site)
{
	if (ff_flight_begin())
		real_child(site);
	else
		ff_gate_reset();
}

static void count_real(struct ff_site *site)
{
	ff_stats.forks_real++;
	ff_site_real(site);
}

static long fork_real(ff_forking_call call, void *arg, struct ff_site *site)
{
	unsigned born = generation;
	long pid;

	ff_gate_enter_real();
	if (ff_flight_begin()) {
		ff_marks_sweep();
		ff_flight_end();
	}
	pid = call_real(call, arg);
	if (pid == 0) {
		child_of_real(site);
		return 0;
	}
	if (is_still(born))
		ff_gate_leave_real();
	if (pid > 0)
		count_real(site);
	return pid;
}

/* The parent again: write down what became of it. */
static void account(struct ff_slot *slot, struct ff_site *site, long pid,
		    const char *name, const void *at)
{
	struct ff_warm warm;

	switch (slot->outcome) {
	case FF_OUTCOME_EXEC:
		ff_stats.forks_lazy++;
		ff_warm_told(slot, &warm);
		ff_site_exec(site, &warm);
		ff_site_note_child(site, (pid_t)pid);
		break;
	case FF_OUTCOME_RELEASED:
		ff_stats.hydrations++;
		/* fall through */
	case FF_OUTCOME_ENDED:
		ff_stats.forks_lazy++;
		ff_site_committed_strayed(site);
		break;
	case FF_OUTCOME_BACK:
		ff_stats.rollbacks++;
		ff_site_back(site, slot->reason);
		/* fall through */
	case FF_OUTCOME_NONE:
		if (pid > 0)
			count_real(site);
	}
	if (slot->why_real)
		log_real(name, at, slot->why_real);
	else if (slot->outcome != FF_OUTCOME_NONE)
		log_lazy(slot, name, at);
}

/* What a lazy fork is to the program. */
struct fork {
	ff_forking_call call;
	void *arg;
	bool bare; /* libc runs no handlers in it */
	const char *name;
	const void *at;
	struct ff_strays *strays; /* or NULL */
};

/* All signals blocked. */
static void settle(const struct fork *fork, struct ff_intent *intent, long pid)
{
	struct ff_slot *slot = intent->slot;

	if (intent->real || (slot && slot->real))
		ff_gate_leave_real();
	if (!slot) {
		if (intent->why)
			log_real(fork->name, fork->at, intent->why);
		if (pid > 0)
			count_real(intent->site);
	} else {
		account(slot, intent->site, pid, fork->name, fork->at);
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

	if (!is_still(born))
		return;
	/* A filter has come with the handlers, or behind the clone. */
	if (!ff_flight_begin()) {
		ff_intended = NULL;
		if (intent->real || (intent->slot && intent->slot->real))
			ff_gate_leave_real();
		return;
	}
	mask = ff_block_signals();
	if (is_still(born)) {
		ff_intended = NULL;
		if (ff_current) {
			/* libc gave up before its clone. */
			mask = ff_current->mask;
			ff_disarm(ff_current);
		}
		settle(fork, intent, pid);
	}
	ff_setmask(mask);
	ff_flight_end();
}

static long fork_lazy(const struct fork *fork, struct ff_intent *intent)
{
	unsigned born = generation;
	int error;
	long pid;

	ff_intended = intent;
	if (fork->bare) {
		error = errno;
		ff_intent_meet();
		errno = error;
	}
	pid = fork->call(fork->arg);
	if (pid == 0) {
		ff_intended = NULL;
		/* A real child has no slot. A lazy one is mediated until it
		 * execs, or was let go already. */
		if (!intent->slot || ff_child.slot != intent->slot)
			child_of_real(intent->site);
		return 0;
	}
	error = errno;
	come_back(fork, intent, born, pid);
	errno = error;
	return pid;
}

static long fork_any(struct fork *fork)
{
	struct ff_intent intent = { .strays = fork->strays };
	const char *why = NULL;
	int error = errno;
	bool ours;

	ff_fork_setup();
	if (!ff_is_on())
		return fork->call(fork->arg);
	if (!ff_flight_begin())
		return fork_silently(fork->call, fork->arg);
	ours = is_our_process();
	if (ours) {
		ff_standins_reap();
		intent.site = ff_site_of(fork->at);
		ff_sites_listen();
		why = fork->bare || has_handler ?
			      why_real(intent.site, &intent.way) :
			      "no fork handler of ours";
		if (why)
			log_real(fork->name, fork->at, why);
	}
	ff_flight_end();
	errno = error;
	if (!ours || why) {
		if (fork->strays)
			fork->strays->frame = 0;
		return fork_real(fork->call, fork->arg, intent.site);
	}
	return fork_lazy(fork, &intent);
}

void ff_fork_has_handler(void)
{
	has_handler = true;
}

long ff_fork_watched(ff_forking_call call, void *arg,
		     const void *return_address, const char *name,
		     struct ff_strays *strays)
{
	struct fork fork = { call, arg, false, name, return_address, strays };

	return fork_any(&fork);
}

long ff_fork(ff_forking_call call, void *arg, const void *return_address,
	     const char *name)
{
	struct fork fork = { call, arg, false, name, return_address, NULL };

	return fork_any(&fork);
}

long ff_fork_bare(ff_forking_call call, void *arg, const void *return_address,
		  const char *name)
{
	struct fork fork = { call, arg, true, name, return_address, NULL };

	return fork_any(&fork);
}

long ff_fork_real(ff_forking_call call, void *arg, const void *return_address,
		  const char *name)
{
	struct ff_site *site = NULL;

	ff_fork_setup();
	if (!ff_is_on())
		return call(arg);
	if (!ff_flight_begin())
		return fork_silently(call, arg);
	if (is_our_process()) {
		log_real(name, return_address, "its child never execs");
		site = ff_site_of(return_address);
		ff_sites_listen();
	}
	ff_flight_end();
	return fork_real(call, arg, site);
}

long ff_fork_real_and_end(ff_forking_call call, void *arg,
			  const void *return_address, const char *name)
{
	if (ff_in_force()) {
		ff_stats.forks_real++;
		ff_ending(FF_ENDING_WORDS);
		ff_stats.forks_real--;
	}
	return ff_fork_real(call, arg, return_address, name);
}
