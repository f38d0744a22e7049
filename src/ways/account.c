/*
 * What is written down of a fork: counters, the log, and what is remembered of
 * the site. Runs in the parent, wherever fork may be called.
 */
#include "ways/account.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/ground.h"
#include "host/hash.h"
#include "host/page.h"
#include "process/stopwatch.h"
#include "site/name.h"
#include "tell/log.h"
#include "tell/options.h"
#include "tell/probe.h"
#include "tell/stats.h"
#include "ways/cost.h"

/* What was said: of each site each reason once. */
#define SAID 128
static _Atomic uint64_t said[SAID];

/* False also where no more is kept. */
static bool is_news(const void *at, const char *why)
{
	const uint64_t key = ff_hash((uintptr_t)at) ^ (uintptr_t)why;
	uint64_t free;
	unsigned i;

	for (i = 0; i < SAID; i++) {
		free = 0;
		if (atomic_load(&said[i]) == key)
			return false;
		if (atomic_compare_exchange_strong(&said[i], &free, key))
			return true;
	}
	return false;
}

/* FLATFORK_WARN_RSS. @how: what was tried, or nothing. */
static void warn(const struct ff_tally_call *call, const char *how,
		 const char *why)
{
	char where[FF_SITE_NAME_MAX];
	uint64_t resident, writable;

	if (!ff_warn_wanted() || !ff_process_size(&resident, &writable) ||
	    resident < ff_options.warn_rss_bytes)
		return;
	ff_stats.forks_warned++;
	if (is_news(call->at, why))
		ff_warn("%s at %s: real, with %lu MiB resident: %s%s",
			call->name, ff_site_name(call->at, where),
			(unsigned long)(resident >> 20), how, why);
}

void ff_account_reason(const struct ff_tally_call *call, const char *why)
{
	char where[FF_SITE_NAME_MAX];

	FF_PROBE(decided, call->at, call->name, "real", why);
	ff_tally_why(call, FF_TALLY_real, why);
	warn(call, "", why);
	if (ff_log_wanted())
		ff_log("%s at %s: real: %s", call->name,
		       ff_site_name(call->at, where), why);
}

void ff_account_ahead(const struct ff_tally_call *call, const char *why, int n)
{
	atomic_fetch_add(&ff_stats.forks_real, (unsigned long)n);
	ff_tally_ahead(call, FF_TALLY_real, why, n);
}

void ff_account_libc(const struct ff_tally_call *call, const char *why)
{
	char where[FF_SITE_NAME_MAX];

	FF_PROBE(decided, call->at, call->name, "libc", why);
	ff_tally_made(call, FF_TALLY_libc, 0);
	ff_tally_why(call, FF_TALLY_libc, why);
	warn(call, "", why);
	if (ff_log_wanted())
		ff_log("%s at %s: real: %s", call->name,
		       ff_site_name(call->at, where), why);
}

static void count_denied(const struct ff_tally_call *call, const char *why)
{
	FF_PROBE(decided, call->at, call->name, "denied", why);
	ff_stats.forks_denied++;
	ff_tally_made(call, FF_TALLY_denied, 0);
	ff_tally_why(call, FF_TALLY_denied, why);
}

void ff_account_denied(const struct ff_tally_call *call, const char *why)
{
	char where[FF_SITE_NAME_MAX];

	count_denied(call, why);
	if (ff_log_wanted())
		ff_log("%s at %s: denied (ENOMEM): %s", call->name,
		       ff_site_name(call->at, where), why);
}

void ff_account_real(const struct ff_account *account, struct ff_site *site)
{
	ff_stats.forks_real++;
	ff_tally_made(&account->call, FF_TALLY_real,
		      ff_stopwatch_ns(account->from));
	ff_site_real(site);
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

static void log_lazy(const struct ff_slot *slot,
		     const struct ff_tally_call *call)
{
	const struct ff_shared *sh = slot->shared;
	char where[FF_SITE_NAME_MAX];

	if (slot->outcome == FF_OUTCOME_BACK && !slot->denied)
		warn(call, "rolled back: child ", reason_text(slot->reason));
	if (!ff_log_wanted())
		return;
	ff_site_name(call->at, where);
	if (slot->outcome == FF_OUTCOME_BACK)
		ff_log("%s at %s: %s: rolled back: child %s (call %d, "
		       "%u faults)",
		       call->name, where,
		       slot->denied ? "denied (ENOMEM)" : "real",
		       reason_text(slot->reason), slot->call,
		       (unsigned)sh->faults);
	else
		ff_log("%s at %s: lazy%s: %s%s (%u areas, %lu MiB absent, "
		       "%u faults, %u calls, %lu KiB fetched)",
		       call->name, where, slot->committed ? ", committed" : "",
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

/* What the child fetched, by its word, as far as that can be true. */
static uint64_t told_bytes(const struct ff_slot *slot)
{
	const uint64_t absent = slot->areas.absent_bytes,
		       fetched = slot->shared->fetched_bytes;

	return fetched < absent ? fetched : absent;
}

static void count_lazy(const struct ff_slot *slot,
		       const struct ff_account *account)
{
	const struct ff_tally_call *call = &account->call;
	const uint64_t absent = slot->areas.absent_bytes,
		       faults = slot->shared->faults;

	ff_stats.forks_lazy++;
	ff_tally_made(call, FF_TALLY_lazy, ff_stopwatch_ns(account->from));
	if (slot->committed)
		ff_tally_made(call, FF_TALLY_committed, 0);
	ff_tally_add(call, FF_TALLY_absent, absent);
	ff_tally_add(call, FF_TALLY_fetched, told_bytes(slot));
	ff_tally_add(call, FF_TALLY_faults,
		     faults < absent / FF_PAGE ? faults : absent / FF_PAGE);
}

static void count_let_go(const struct ff_slot *slot,
			 const struct ff_tally_call *call)
{
	ff_stats.hydrations++;
	ff_tally_made(call, FF_TALLY_let_go, 0);
	ff_tally_why(call, FF_TALLY_let_go, reason_text(slot->reason));
}

static void count_back(const struct ff_slot *slot,
		       const struct ff_tally_call *call)
{
	FF_PROBE(undone, call->at, call->name, reason_text(slot->reason),
		 slot->call);
	ff_stats.rollbacks++;
	ff_tally_made(call, FF_TALLY_rolled_back, 0);
	ff_tally_why(call, FF_TALLY_rolled_back, reason_text(slot->reason));
}

void ff_account(struct ff_slot *slot, struct ff_site *site, long pid,
		const struct ff_account *account)
{
	const struct ff_tally_call *call = &account->call;
	struct ff_warm warm;

	if (slot->outcome != FF_OUTCOME_NONE)
		ff_cost_of_lazy(slot->extra_ns, slot->clone_ns);
	switch (slot->outcome) {
	case FF_OUTCOME_EXEC:
		count_lazy(slot, account);
		FF_PROBE(execed, call->at, call->name, pid,
			 slot->areas.absent_bytes, told_bytes(slot));
		ff_warm_told(slot, &warm);
		ff_site_exec(site, &warm);
		ff_site_note_child(site, (pid_t)pid);
		break;
	case FF_OUTCOME_RELEASED:
		count_let_go(slot, call);
		/* fall through */
	case FF_OUTCOME_ENDED:
		count_lazy(slot, account);
		FF_PROBE(let_go, call->at, call->name, pid,
			 slot->outcome == FF_OUTCOME_RELEASED ?
				 reason_text(slot->reason) :
				 "ends without exec");
		ff_site_committed_strayed(site,
					  slot->outcome == FF_OUTCOME_RELEASED ?
						  slot->reason :
						  FF_REASON_EXIT);
		break;
	case FF_OUTCOME_BACK:
		count_back(slot, call);
		ff_site_back(site, slot->reason);
		/* fall through */
	case FF_OUTCOME_NONE:
		if (pid > 0)
			ff_account_real(account, site);
	}
	if (slot->denied && slot->why_real)
		ff_account_denied(call, slot->why_real);
	else if (slot->denied)
		count_denied(call, "no copy is wanted");
	if (slot->why_real && !slot->denied)
		ff_account_reason(call, slot->why_real);
	else if (!slot->why_real && slot->outcome != FF_OUTCOME_NONE)
		log_lazy(slot, call);
}
