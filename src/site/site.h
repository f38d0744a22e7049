/*
 * What is remembered of the places that call fork: a saturating counter, as
 * in a branch predictor, and what their children did. All of it is private
 * memory of each process; a child starts with a copy.
 *
 * Hazard
 *  H-U1 A child of a real fork tells its parent that it exec'ed through memory
 *       that both write, and may live for ever, under another user. There are
 *       numbers of children there, alone on their page. Each is read once, and
 *       is a hint that is believed up to the number of children there are: a
 *       child that lies makes its parent slower, no more.
 */
#ifndef FF_SITE_SITE_H
#define FF_SITE_SITE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "site/frame.h"
#include "site/warm.h"

enum ff_way {
	FF_WAY_REAL,
	FF_WAY_TRIAL,
	FF_WAY_COMMITTED,
};

struct ff_site {
	_Atomic uintptr_t address;   /* where fork was called from; 0: free */
	_Atomic int32_t score;	     /* > 0: lazy; see site.c */
	_Atomic uint32_t skipped;    /* real forks since the last try */
	_Atomic uint32_t patience;   /* real forks between tries */
	_Atomic uint32_t reals;	     /* real children ever */
	_Atomic uint32_t real_execs; /* ... that came to exec, of children of
					the process this is a copy of */
	_Atomic uint32_t outputs;    /* rollbacks that a commit would avoid */
	_Atomic uint32_t strikes;    /* committed children that did not exec */
	_Atomic uint32_t execs;	     /* of lazy children */
	_Atomic uint32_t mishaps;    /* late, or without their memory */
	_Atomic uint8_t warm_count;  /* clusters they fetched */
	_Atomic bool late;    /* a parent came too late for its child here */
	_Atomic uint8_t back; /* why the last one was taken back or let go */
	_Atomic bool refused; /* a child that was to be committed might not */

	/* Of a place that calls vfork: what is known of the frame there. */
	_Atomic uint64_t frame;
};

/* The site of a return address, or NULL where no more can be remembered.
 * Async-signal-safe. */
struct ff_site *ff_site_of(const void *return_address);

/* Of @site: a bit for each of ff_places that it is at, and FF_SITE_PLACED where
 * that is known. */
#define FF_SITE_PLACED 0x80000000u
_Atomic uint32_t *ff_site_places(const struct ff_site *site);

/* Which way the next fork of @site goes; NULL: a trial. */
enum ff_way ff_site_predict(struct ff_site *site);
/* Where that was a committed child: may it be one here, by what its process is?
 * If not, it goes on trial, and the site is as one that is not proven. */
void ff_site_may_commit(struct ff_site *site, bool may);
/* Where that is real: what its children did, for the log. */
const char *ff_site_why_real(const struct ff_site *site);

/* Before a fork that may turn out real: its child can tell then. */
void ff_sites_listen(void);

/* What became of it. @fetched: what the child that exec'ed had to fetch; the
 * next ones are spared that. */
void ff_site_exec(struct ff_site *site, const struct ff_warm *fetched);
void ff_site_back(struct ff_site *site, uint32_t reason);
void ff_site_committed_strayed(struct ff_site *site, uint32_t reason);
void ff_site_real(struct ff_site *site);

/*
 * A parent that changes what its child is before that execs, without waiting
 * for it, is nearly always in time with plain fork, and never here, as fork
 * returns after exec. So the last children that came to exec are remembered;
 * where the parent turns out to have come too late for one, forks are real
 * from then on, in the processes that come of it, too.
 */
void ff_site_note_child(const struct ff_site *site, pid_t child);
/* True: it is one that was noted. */
bool ff_site_came_too_late(pid_t child);
bool ff_site_is_late(const struct ff_site *site);

/* In any new process that is a copy of this one. */
void ff_sites_new_process(void);

/* Then, in the child of a real fork, and when that child calls exec. */
void ff_site_born_real(struct ff_site *site);
bool ff_site_is_born_real(void);
void ff_site_child_execs(void);

/* What the children of @site are known to touch. */
void ff_site_keep_warm(const struct ff_site *site, struct ff_warm *ret_warm);

/* The frame rule at @site, looked up once. */
bool ff_site_frame(struct ff_site *site, struct ff_frame_rule *ret_rule);

/* Our memory outside the object, to be kept by a lazy child: pages, or 0. */
#define FF_SITES_PAGES 2
void ff_sites_pages(uintptr_t ret_page[FF_SITES_PAGES]);

#endif
