/* Which way a fork goes: the one place where that is decided. */
#ifndef FF_WAYS_DECIDE_H
#define FF_WAYS_DECIDE_H

#include <stdbool.h>

#include "process/ask.h"
#include "site/site.h"
#include "tell/options.h"
#include "tell/places.h"

/* Before the first fork; more than once does no harm. The other: what of it
 * can't be done before libc has begun. */
void ff_fork_setup(void);
void ff_fork_setup_names(void);

/* Before somebody else runs in this memory whom we do not make (clone, libc's
 * vfork): who asks first whose it is, is taken for its owner. */
void ff_fork_memory_is_shared(void);

/* From now on forks of this process, and of its copies, are real. @why, for
 * the log, stays where it is. */
#define FF_USERFAULTFD "userfaultfd is in use"
#define FF_SEALED "memory is sealed"
#define FF_EXECUTES "what can be read may be executed"
void ff_fork_real_from_now(const char *why);
/* And those of other threads that are under way come to their end first (within
 * FF_FLIGHT_MAX_MS). */
void ff_fork_never_lazily(const char *why);
/* NULL: they may be lazy. */
const char *ff_fork_why_never(void);

/* May we make any call of ours for a fork, under the filter that is in force?
 * If not it is libc's, and nothing is told of it. */
bool ff_may_begin(void);

/*
 * Forks that nobody told us of (libc's own, raw ones) leave a child with its
 * parent's state, which is set right here. False: this is somebody else's
 * memory (vfork).
 */
bool ff_is_our_process(void);

/* Which way the user wants calls at @site, or NULL, to go: a value of that
 * option. In a flight: a file may have to be looked at. */
int ff_mode_at(struct ff_site *site, enum ff_of_place of);
/* Can that be @ours anywhere in this program? No call. */
bool ff_may_be_ours(enum ff_of_place of, int ours);

/* The same, of forks. */
enum ff_fork_mode ff_fork_mode_at(struct ff_site *site);

/* Why a fork at @site has to be real; NULL: it may be lazy, and *ret_way is
 * how. In a process of ours. */
const char *ff_why_real(struct ff_site *site, enum ff_way *ret_way);

/* Would a copy of this process not have all of its memory, or would the user
 * rather have a fork of it fail than copy it, as big as it is now? Context: in a
 * flight; asks /proc only where that may be. */
bool ff_copies_are_denied(void);

/*
 * What has to be known of this process before it may lend a stack, to what
 * @need says: NULL, or why libc's function has to do. Its memory is its own then, and whoever asks
 * later can tell (host/identity.h).
 */
const char *ff_why_not_lend(enum ff_need need);

#endif
