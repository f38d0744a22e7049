/*
 * What is remembered of the places that call fork: a saturating counter, as
 * in a branch predictor, and what their children did. In memory shared with
 * the children of real forks, who are the same image and tell whether they
 * exec'ed.
 */
#ifndef FF_SITE_SITE_H
#define FF_SITE_SITE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lazy/areas.h"
#include "site/frame.h"

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
	_Atomic uint32_t real_execs; /* ... that came to exec */
	_Atomic uint32_t outputs;    /* rollbacks that a commit would avoid */
	_Atomic uint32_t strikes;    /* committed children that did not exec */

	/* Of a place that calls vfork: what is known of the frame there. */
	_Atomic uint64_t frame;

	/* What its children fetched; threads that race lose a cluster. */
	_Atomic uint32_t execs;
	_Atomic uint32_t warm_count;
	_Atomic uintptr_t warm[FF_WARM_MAX];
};

/* The site of a return address, or NULL where there is no memory for it.
 * Async-signal-safe. */
struct ff_site *ff_site_of(const void *return_address);

/* Which way the next fork of @site goes; NULL: a trial. */
enum ff_way ff_site_predict(struct ff_site *site);

/* What became of it. @fetched: what the child that exec'ed had to fetch; the
 * next ones are spared that. */
void ff_site_exec(struct ff_site *site, const struct ff_warm *fetched);
void ff_site_back(struct ff_site *site, uint32_t reason);
void ff_site_committed_strayed(struct ff_site *site);
void ff_site_real(struct ff_site *site);

/* In the child of a real fork, and when that child calls exec. */
void ff_site_born_real(struct ff_site *site);
bool ff_site_is_born_real(void);
void ff_site_child_execs(void);

/* What the children of @site are known to touch. */
void ff_site_keep_warm(const struct ff_site *site, struct ff_warm *ret_warm);

/* The frame rule at @site, looked up once. */
bool ff_site_frame(struct ff_site *site, struct ff_frame_rule *ret_rule);

/* Our memory, to be kept by a lazy child. */
void ff_sites_keep(struct ff_keep *keep);

#endif
