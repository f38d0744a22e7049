/*
 * Which way a fork goes, and why. Runs on the program's stack, in any thread,
 * possibly in a signal handler: nothing is waited for, nothing is allocated.
 */
#include "ways/decide.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/hot.h"
#include "host/fault.h"
#include "host/ground.h"
#include "host/held.h"
#include "host/identity.h"
#include "host/newborn.h"
#include "host/pidns.h"
#include "host/privilege.h"
#include "lazy/slot.h"
#include "libc/environment.h"
#include "libc/libc.h"
#include "libc/place.h"
#include "process/filter.h"
#include "process/gate.h"
#include "process/sigsys.h"
#include "process/stance.h"
#include "site/name.h"
#include "tell/log.h"
#include "tell/places.h"
#include "tell/stats.h"
#include "ways/cost.h"
#include "ways/intent.h"
#include "ways/pass.h"
#include "ways/settings.h"

/* Writable memory that makes a process big although it is not resident: it
 * counts against what fork may promise. */
#define WRITABLE_IS_BIG ((uint64_t)1 << 30)

static _Atomic bool is_set_up FF_HOT;
static const char *_Atomic why_never;

/* To load a library takes a libc that has begun. */
void ff_fork_setup_names(void)
{
	if (ff_libc_has_begun() && (ff_log_wanted() || ff_warn_wanted()))
		ff_site_names_prepare();
}

/* May something be told there? */
static bool knows_stderr(void)
{
	return ff_options.config || ff_options.warn_rss_bytes ||
	       (ff_options.log && ff_log_is_stderr(ff_options.log)) ||
	       (ff_options.stats && ff_log_is_stderr(ff_options.stats));
}

/* What is looked at when the program is started. */
static void begin_to_tell(void)
{
	if (!ff_flight_begin())
		return;
	if (ff_filter_lets_tell() || !ff_filter_why_not(FF_NEED_TELL)) {
		if (knows_stderr())
			ff_log_note_stderr();
		/* Whose counters they are, however its children are made. */
		if (ff_options.stats)
			ff_identity_take();
	}
	ff_flight_end();
}

/* Nothing is in force, and that is said (H-Q2). */
static void stand_aside(void)
{
	if (ff_options.on && ff_options.log) {
		if (knows_stderr())
			ff_log_note_stderr();
		ff_log("not in force: %s %s is not known",
		       ff_libc_version() ? "glibc" : "this",
		       ff_libc_version() ? ff_libc_version() : "libc");
	}
	memset(&ff_options, 0, sizeof(ff_options));
	ff_stats_stand_aside();
}

void ff_fork_setup(void)
{
	if (atomic_load(&is_set_up))
		return;
	if (!ff_is_privileged() &&
	    (!ff_libc_is_known() || ff_comes_before_libc()))
		ff_settings_begin();
	if (!ff_libc_is_known())
		stand_aside();
	if (!ff_options.on) {
		atomic_store(&is_set_up, true);
		return;
	}
	ff_faults_load(ff_environment_value(FF_FAULT_VARIABLE));
	ff_pidns_watch();
	ff_fork_setup_names();
	if (ff_options.stats || knows_stderr())
		begin_to_tell();
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

bool ff_is_our_process(void)
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
	return true;
}

/* May we make calls of ours here, for what @need says? And a stamp is
 * there that tells whose memory this is. */
static const char *why_unstamped(unsigned need)
{
	const bool asks = ff_options.seccomp_mode == FF_SECCOMP_ASK;
	const char *why = asks || need != FF_NEED_IDENTITY ?
				  ff_filter_why_not(need) :
				  NULL;

	if (!why && !ff_identity_take_to_fork())
		why = "no memory to tell copies by";
	return why;
}

void ff_fork_memory_is_shared(void)
{
	int error = errno;

	ff_fork_setup();
	if (ff_in_force() && ff_filter_lets_us(false, false) &&
	    ff_is_our_process())
		why_unstamped(FF_NEED_IDENTITY);
	errno = error;
}

static bool is_inside_another(void)
{
	return ff_current || ff_intended || ff_pass_is_inside();
}

/* Why neither a lazy fork nor a loan may begin. */
static const char *why_neither(enum ff_need need)
{
	const char *why = is_inside_another() ? "inside another fork" :
						why_unstamped(need);

	if (!why)
		why = no_ground();
	if (!why)
		why = ff_dispatch_why_not();
	if (!why && need != FF_NEED_VFORK && ff_ground_keeps_processor())
		why = "its child might keep the processor from it";
	return why;
}

/* Asked before anything is opened, as that would be among what they close. */
static const char *why_others(void)
{
	return ff_others_close_ours() ?
		       "another thread closes what it has not opened" :
		       NULL;
}

/* NULL, or why a lazy fork promises nothing; *ret_resident with auto alone. Who
 * is to be denied a copy is not small. */
static const char *why_small(enum ff_fork_mode mode, uint64_t *ret_resident)
{
	uint64_t writable = 0;

	if (mode != FF_FORK_AUTO)
		return NULL;
	if (!ff_process_size(ret_resident, &writable))
		return "/proc does not tell the size";
	return *ret_resident < ff_options.min_rss_bytes &&
			       *ret_resident < ff_options.deny_bytes &&
			       writable < WRITABLE_IS_BIG ?
		       "small process" :
		       NULL;
}

bool ff_may_begin(void)
{
	uint64_t resident;

	return !ff_filter_is_there() ||
	       ff_filter_lets_us(why_small(ff_options.fork_mode, &resident) !=
					 NULL,
				 true);
}

/* Which of the rules are of a place; 0: it can't be told now. */
static uint32_t places_of(const void *address)
{
	uint32_t found = FF_SITE_PLACED;

	for (unsigned i = 0; i < ff_places.count; i++) {
		switch (ff_site_is_at(address, &ff_places.place[i])) {
		case FF_MATCH_UNKNOWN:
			return 0;
		case FF_MATCH_YES:
			found |= 1u << i;
			break;
		case FF_MATCH_NO:
			break;
		}
	}
	return found;
}

/* Of several rules the last counts, as in a file. */
int ff_mode_at(struct ff_site *site, enum ff_of_place of)
{
	uint32_t at;

	if (!ff_places.count || !site)
		return ff_place_mode(&ff_options, of);
	at = atomic_load(ff_site_places(site));
	if (!at) {
		at = places_of((void *)atomic_load(&site->address));
		atomic_store(ff_site_places(site), at);
	}
	for (unsigned i = ff_places.count; i--;)
		if (at & 1u << i && ff_places.place[i].of == of)
			return ff_places.place[i].mode;
	return ff_place_mode(&ff_options, of);
}

enum ff_fork_mode ff_fork_mode_at(struct ff_site *site)
{
	return (enum ff_fork_mode)ff_mode_at(site, FF_PLACE_FORK);
}

bool ff_may_be_ours(enum ff_of_place of, int ours)
{
	return ff_place_mode(&ff_options, of) == ours || ff_places.count;
}

const char *ff_why_real(struct ff_site *site, enum ff_way *ret_way)
{
	const enum ff_fork_mode mode = ff_fork_mode_at(site);
	uint64_t resident = 0;
	bool may_guess;
	const char *why;

	*ret_way = FF_WAY_REAL;
	if (mode == FF_FORK_REAL)
		return "asked for";
	why = ff_fork_why_never();
	/* Where a copy is denied, all later forks would fail for one close. */
	if (!why && why_others() && !ff_copies_are_denied())
		why = why_others();
	if (why)
		return why;
	if (ff_site_is_late(site))
		return "parents here change their children before exec";
	why = why_small(mode, &resident);
	/* Where a copy is denied, it is tried whatever is expected. */
	may_guess = mode == FF_FORK_AUTO && resident < ff_options.deny_bytes;
	if (!why && may_guess)
		why = ff_cost_why_real(resident);
	if (!why)
		why = why_neither(FF_NEED_LAZY);
	if (why)
		return why;
	*ret_way = ff_site_predict(site);
	if (*ret_way == FF_WAY_REAL && may_guess)
		return ff_site_why_real(site);
	if (*ret_way == FF_WAY_REAL)
		*ret_way = FF_WAY_TRIAL;
	return NULL;
}

bool ff_copies_are_denied(void)
{
	uint64_t resident, writable;

	if (!ff_pass_can_copy())
		return true;
	return ff_options.deny_bytes != FF_DENY_NEVER &&
	       ff_process_size(&resident, &writable) &&
	       resident >= ff_options.deny_bytes;
}

const char *ff_why_not_lend(enum ff_need need)
{
	const char *why;

	ff_fork_setup();
	if (!ff_in_force())
		return "";
	if (ff_gate_is_unclean())
		return FF_GATE_UNCLEAN;
	if (!ff_is_our_process())
		return "in borrowed memory";
	why = why_others();
	return why ? why : why_neither(need);
}
