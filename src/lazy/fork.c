/*
 * Which way a fork goes, and what is written down of it. Runs on the
 * program's stack, in any thread, possibly in a signal handler: no lock is
 * waited for but the gate's, nothing is allocated.
 */
#include "lazy/fork.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "host/fault.h"
#include "host/ground.h"
#include "host/hot.h"
#include "host/identity.h"
#include "host/pidns.h"
#include "host/privilege.h"
#include "host/sandbox.h"
#include "host/sys.h"
#include "host/threads.h"
#include "lazy/child.h"
#include "lazy/clone.h"
#include "lazy/ending.h"
#include "lazy/gate.h"
#include "lazy/hooks.h"
#include "lazy/slot.h"
#include "lazy/trap.h"
#include "lazy/trials.h"
#include "site/name.h"
#include "site/site.h"
#include "tell/log.h"
#include "tell/options.h"
#include "tell/stats.h"

/* Writable memory that makes a process big although it is not resident: it
 * counts against what fork may promise. */
#define WRITABLE_IS_BIG ((uint64_t)1 << 30)

/* Resident memory up to which a child may be born committed. */
#define COMMIT_MAX ((uint64_t)4 << 30)

#define LINKER_SYMBOL __attribute__((visibility("hidden")))
extern LINKER_SYMBOL char ff_image_start[] __asm__("__bss_start");
extern LINKER_SYMBOL char ff_image_end[] __asm__("_end");

static _Atomic bool is_set_up FF_HOT;
static const char *_Atomic why_never;

void ff_fork_setup(void)
{
	if (atomic_load(&is_set_up))
		return;
	if (!ff_is_privileged())
		ff_options_load(environ);
	if (!ff_options.on) {
		atomic_store(&is_set_up, true);
		return;
	}
	ff_faults_load_from_environment();
	if ((ff_options.log && ff_log_is_stderr(ff_options.log)) ||
	    (ff_options.stats && ff_log_is_stderr(ff_options.stats)))
		ff_log_note_stderr();
	ff_budget_ms = ff_options.budget_ms;
	ff_pidns_watch();
	if (ff_log_wanted())
		ff_site_names_prepare();
	/* Whose counters they are, however its children are made. */
	if (ff_options.stats)
		ff_identity_take();
	atomic_store(&is_set_up, true);
}

void ff_fork_never_lazily(const char *why)
{
	atomic_store(&why_never, why);
}

bool ff_fork_is_never_lazy(void)
{
	return atomic_load(&why_never) != NULL;
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

void ff_new_process(const struct ff_slot *own)
{
	ff_identity_take();
	ff_threads_reset();
	ff_gate_reset();
	ff_slots_reset(own);
	ff_trials_reset();
	ff_stats_reset();
	ff_sites_new_process();
}

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
		ff_trap_reset();
		ff_new_process(NULL);
		/* fall through */
	case FF_SAME:
		break;
	}
	return ff_identity_take_to_fork();
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
		why = atomic_load(&why_never);
	if (why)
		return why;
	if (!ff_dispatch_possible())
		return "no syscall user dispatch";
	if (ff_current)
		return "inside another fork";
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
	if (ff_child.active || !ff_options.on || atomic_load(&ff_sandboxed))
		return "";
	why = no_ground();
	if (why)
		return why;
	if (!ff_dispatch_possible())
		return "no syscall user dispatch";
	if (ff_current)
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
	ff_trap_reset();
	ff_new_process(NULL);
	ff_site_born_real(site);
}

static long fork_real(ff_forking_call call, void *arg, struct ff_site *site)
{
	long pid;

	ff_gate_enter_real();
	pid = call(arg);
	if (pid == 0) {
		real_child(site);
		return 0;
	}
	ff_gate_leave_real();
	if (pid > 0) {
		ff_stats.forks_real++;
		ff_site_real(site);
	}
	return pid;
}

/* No system call but libc's. Nothing of ours is used in the child. */
static long fork_silently(ff_forking_call call, void *arg)
{
	long pid;

	ff_gate_enter_real();
	pid = call(arg);
	if (pid == 0)
		ff_gate_reset();
	else
		ff_gate_leave_real();
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
		if (pid > 0) {
			ff_stats.forks_real++;
			ff_site_real(site);
		}
	}
	if (slot->why_real)
		log_real(name, at, slot->why_real);
	else if (slot->outcome != FF_OUTCOME_NONE)
		log_lazy(slot, name, at);
}

static void keep_ours(struct ff_keep *keep)
{
	keep->count = 0;
	keep->stack = (uintptr_t)getauxval(AT_RANDOM); /* lies there */
	keep->range[keep->count++] =
		(struct ff_range){ (uintptr_t)ff_image_start & ~(FF_PAGE - 1),
				   ((uintptr_t)ff_image_end + FF_PAGE - 1) &
					   ~(FF_PAGE - 1) };
	ff_sites_keep(keep);
}

/*
 * A committed child can't be taken back. Other threads may map something
 * where an area was, and then it would have to be; and what a child that
 * strays would have to copy must not be without end.
 */
static bool may_commit(const struct ff_slot *slot)
{
	uint64_t resident, writable;

	return slot->alone && ff_process_size(&resident, &writable) &&
	       resident <= COMMIT_MAX;
}

/* *ret_why on failure to get started; the call was not made then. */
static long fork_lazy(ff_forking_call call, void *arg, struct ff_site *site,
		      enum ff_way way, const char *name, const void *at,
		      struct ff_purity *purity, const char **ret_why)
{
	struct ff_slot *slot = ff_slot_take();
	int error;
	long pid;

	*ret_why = "too many forks under way";
	if (!slot)
		return -1;
	if (purity)
		slot->shared->purity = *purity;
	/* The handler's stack is not in use yet, and is no loss to a fork. */
	*ret_why = ff_ground_now(ff_house_of(slot)->altstack);
	if (!*ret_why) {
		slot->alone = ff_is_alone_by(
			ff_ground_threads(ff_house_of(slot)->altstack));
		keep_ours(&slot->keep);
		slot->committed = way == FF_WAY_COMMITTED && may_commit(slot);
		/* What is copied and what is fetched never is one mapping
		 * again, so mremap over both fails (H-P4). */
		ff_site_keep_warm(slot->committed ? NULL : site,
				  &slot->keep.warm);
		*ret_why = ff_arm(slot);
	}
	if (*ret_why) {
		ff_slot_put(slot);
		return -1;
	}
	pid = call(arg);
	if (pid == 0) {
		/* A real child has no slot. A lazy one is mediated until it
		 * execs, or was let go already. */
		if (ff_child.slot != slot)
			real_child(site);
		else
			ff_purity_begin();
		return 0;
	}
	error = errno;
	if (slot->armed) {
		/* libc gave up before its clone. */
		ff_disarm(slot);
	}
	if (slot->real)
		ff_gate_leave_real();
	account(slot, site, pid, name, at);
	if (purity && slot->outcome == FF_OUTCOME_EXEC)
		ff_purity_told(slot, purity);
	else if (purity)
		purity->frame = 0;
	ff_slot_put(slot);
	errno = error;
	return pid;
}

long ff_fork(ff_forking_call call, void *arg, const void *return_address,
	     const char *name)
{
	return ff_fork_watched(call, arg, return_address, name, NULL);
}

long ff_fork_watched(ff_forking_call call, void *arg,
		     const void *return_address, const char *name,
		     struct ff_purity *purity)
{
	struct ff_site *site;
	enum ff_way way;
	const char *why;
	int error = errno;
	long pid;

	ff_fork_setup();
	if (ff_child.active || !ff_options.on)
		return call(arg);
	if (atomic_load(&ff_sandboxed))
		return fork_silently(call, arg);
	if (!is_our_process())
		return fork_real(call, arg, NULL);
	site = ff_site_of(return_address);
	ff_sites_listen();
	why = why_real(site, &way);
	if (!why) {
		errno = error;
		pid = fork_lazy(call, arg, site, way, name, return_address,
				purity, &why);
		if (!why)
			return pid;
	}
	log_real(name, return_address, why);
	errno = error;
	return fork_real(call, arg, site);
}

long ff_fork_real(ff_forking_call call, void *arg, const void *return_address,
		  const char *name)
{
	ff_fork_setup();
	if (ff_child.active || !ff_options.on)
		return call(arg);
	if (atomic_load(&ff_sandboxed))
		return fork_silently(call, arg);
	if (!is_our_process())
		return fork_real(call, arg, NULL);
	log_real(name, return_address, "its child never execs");
	ff_sites_listen();
	return fork_real(call, arg, ff_site_of(return_address));
}

long ff_fork_real_and_end(ff_forking_call call, void *arg,
			  const void *return_address, const char *name)
{
	if (!ff_child.active && ff_options.on && !atomic_load(&ff_sandboxed)) {
		ff_stats.forks_real++;
		ff_ending(FF_ENDING_EXIT);
		ff_stats.forks_real--;
	}
	return ff_fork_real(call, arg, return_address, name);
}

void ff_ending(enum ff_ending how)
{
	bool execs_of_site = how == FF_ENDING_EXEC && ff_site_is_born_real();
	int error = errno;

	if (ff_child.active || !ff_options.on || atomic_load(&ff_sandboxed) ||
	    (!execs_of_site && !ff_options.stats) || ff_identity() != FF_SAME)
		return;
	if (how == FF_ENDING_EXEC)
		ff_site_child_execs();
	ff_stats_write();
	errno = error;
}
