/*
 * The counter starts at 1: a site is tried. An exec makes it 2, the most; a
 * child that was taken back costs one, and below 1 the site forks for real,
 * with a retry after `patience` forks. A trial that fails costs some 300 us;
 * one that runs into the time budget, 100 ms: patience differs accordingly.
 */
#include "site/site.h"

#include <stddef.h>
#include <sys/mman.h>

#include "arch/hot.h"
#include "host/fault.h"
#include "host/hash.h"
#include "host/newborn.h"
#include "host/page.h"
#include "host/sys.h"
#include "site/reason.h"

#define SITES 64
#define SCORE_MAX 2
#define PATIENCE 16
#define PATIENCE_BUDGET 512
#define PATIENCE_MAX 8192
#define PROVEN 2 /* real children in a row that came to exec */
/* Among so many children that exec'ed, one that does not is an accident. */
#define RARE 32
#define HAS_EXECED 4 /* often enough to know that time is not all it needs */
/* Memory moves: what is warm is learnt afresh after so many children. */
#define AFRESH 1024

#define RECENT 32

/* Of the reason that is kept: it is that of a committed child. */
#define COMMITTED 0x80u

/* A fork makes each page that is written after it cost a fault: what changes
 * with every child is one page. */
static struct known {
	struct ff_site table[SITES];
	/* Children that exec'ed: pid, and above it the table's index, plus 1. */
	_Atomic uint64_t recent[RECENT];
	_Atomic uint32_t next;
} sites __attribute__((aligned(4096)));
_Static_assert(sizeof(struct known) <= FF_PAGE, "one page");

/* What they fetched, by the table's index; threads that race lose a cluster. */
static _Atomic uintptr_t warm_of[SITES][FF_WARM_MAX];
_Static_assert(FF_WARM_MAX <= UINT8_MAX, "warm_count");

/* H-U1: how many real children of each site exec'ed. */
struct told {
	_Atomic uint32_t execs[SITES];
};

static struct {
	_Atomic(struct told *) by_children;  /* of this process */
	_Atomic(struct told *) to_parent;    /* this one among them */
	_Atomic(_Atomic uint32_t *) born_at; /* in it */
} told FF_HOT;

static const bool commits[] = {
#define X(id, text, committable) committable,
	FF_REASONS(X)
#undef X
};

struct ff_site *ff_site_of(const void *return_address)
{
	uintptr_t key = (uintptr_t)return_address, free;
	struct ff_site *s;
	unsigned i, at = (unsigned)(ff_hash(key) >> 58);

	for (i = 0; i < SITES; i++) {
		s = &sites.table[(at + i) % SITES];
		free = 0;
		if (atomic_load(&s->address) == key)
			return s;
		if (atomic_compare_exchange_strong(&s->address, &free, key)) {
			atomic_store(&s->score, 1);
			atomic_store(&s->patience, PATIENCE);
			return s;
		}
		if (free == key)
			return s;
	}
	return NULL;
}

static size_t index_of(const struct ff_site *s)
{
	return (size_t)(s - sites.table);
}

_Atomic uint32_t *ff_site_places(const struct ff_site *s)
{
	static _Atomic uint32_t places[SITES]; /* not written by forks */

	return &places[index_of(s)];
}

/* What was told of it, as far as it can be true. */
static uint32_t believed(const struct ff_site *s, struct told *t)
{
	uint32_t reals = atomic_load(&s->reals),
		 known = atomic_load(&s->real_execs), said;

	if (!t || reals <= known)
		return 0;
	said = atomic_load(&t->execs[index_of(s)]);
	return said < reals - known ? said : reals - known;
}

static bool is_proven(const struct ff_site *s)
{
	uint32_t reals = atomic_load(&s->reals);

	return atomic_load(&s->outputs) && reals >= PROVEN &&
	       atomic_load(&s->real_execs) +
			       believed(s, atomic_load(&told.by_children)) >=
		       reals &&
	       atomic_load(&s->strikes) * RARE <= atomic_load(&s->execs);
}

/* Where its children were not allowed to commit, that is asked again when they
 * are tried again: what stands against it, threads or a size, may pass. */
enum ff_way ff_site_predict(struct ff_site *s)
{
	enum ff_way lazy = FF_WAY_TRIAL;

	if (!s)
		return FF_WAY_TRIAL;
	if (ff_fault(FF_FAULT_COMMIT_ALL))
		return FF_WAY_COMMITTED;
	if (is_proven(s))
		lazy = FF_WAY_COMMITTED;
	if ((lazy == FF_WAY_COMMITTED && !atomic_load(&s->refused)) ||
	    atomic_load(&s->score) > 0)
		return lazy;
	if (atomic_fetch_add(&s->skipped, 1) < atomic_load(&s->patience))
		return FF_WAY_REAL;
	atomic_store(&s->skipped, 0);
	return lazy;
}

void ff_site_may_commit(struct ff_site *s, bool may)
{
	if (s && atomic_load(&s->refused) == may)
		atomic_store(&s->refused, !may);
}

const char *ff_site_why_real(const struct ff_site *s)
{
	switch (atomic_load(&s->back)) {
	case COMMITTED | FF_REASON_EXIT:
		return "a committed child of this site did not exec";
	case COMMITTED | FF_REASON_BUDGET: /* after which it may have exec'ed */
	case FF_REASON_BUDGET:
		return "children of this site take longer than the budget";
	case FF_REASON_OUTPUT:
	case FF_REASON_SHARED:
		return "children of this site write before exec";
	case FF_REASON_CALL:
		return "children of this site call what can't be undone";
	case FF_REASON_EXIT:
		return "children of this site do not exec";
	default:
		return atomic_load(&s->back) & COMMITTED ?
			       "a committed child of this site was let go" :
			       "children of this site were taken back";
	}
}

static bool is_warm(const _Atomic uintptr_t *warm, uintptr_t cluster,
		    uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (atomic_load(&warm[i]) == cluster)
			return true;
	return false;
}

static void learn(struct ff_site *s, const struct ff_warm *fetched)
{
	_Atomic uintptr_t *warm = warm_of[index_of(s)];
	uint32_t count = atomic_load(&s->warm_count);
	unsigned i;

	if (atomic_fetch_add(&s->execs, 1) % AFRESH == AFRESH - 1)
		count = 0;
	for (i = 0; i < fetched->count && count < FF_WARM_MAX; i++)
		if (!is_warm(warm, fetched->cluster[i], count))
			atomic_store(&warm[count++], fetched->cluster[i]);
	if (count != atomic_load(&s->warm_count))
		atomic_store(&s->warm_count, (uint8_t)count);
}

void ff_site_keep_warm(const struct ff_site *s, struct ff_warm *ret_warm)
{
	unsigned i;

	ret_warm->count = s ? atomic_load(&s->warm_count) : 0;
	for (i = 0; i < ret_warm->count; i++)
		ret_warm->cluster[i] = atomic_load(&warm_of[index_of(s)][i]);
}

void ff_site_exec(struct ff_site *s, const struct ff_warm *fetched)
{
	if (!s)
		return;
	learn(s, fetched);
	if (atomic_load(&s->score) < SCORE_MAX)
		atomic_fetch_add(&s->score, 1);
	atomic_store(&s->patience, PATIENCE);
}

/* Now and then a busy machine holds up any child, another thread moves memory
 * between the look at it and the clone, or changes what libc's fork walks. */
static bool is_mishap(struct ff_site *s, uint32_t reason)
{
	const uint32_t execs = atomic_load(&s->execs);

	if (reason != FF_REASON_BUDGET && reason != FF_REASON_MEMORY &&
	    reason != FF_REASON_LOST)
		return false;
	return atomic_fetch_add(&s->mishaps, 1) <= execs / RARE &&
	       (execs >= HAS_EXECED || reason != FF_REASON_BUDGET);
}

void ff_site_back(struct ff_site *s, uint32_t reason)
{
	uint32_t patience;

	if (!s || reason == FF_REASON_SIGNAL || is_mishap(s, reason))
		return;
	if (atomic_load(&s->back) != reason)
		atomic_store(&s->back, (uint8_t)reason);
	if (reason < sizeof(commits) && commits[reason])
		atomic_fetch_add(&s->outputs, 1);
	if (atomic_load(&s->score) > 0) {
		atomic_fetch_sub(&s->score, 1);
		if (reason == FF_REASON_BUDGET)
			atomic_store(&s->score, 0);
	} else {
		patience = atomic_load(&s->patience) * 2;
		if (patience < PATIENCE_MAX)
			atomic_store(&s->patience, patience);
	}
	if (reason == FF_REASON_BUDGET &&
	    atomic_load(&s->patience) < PATIENCE_BUDGET)
		atomic_store(&s->patience, PATIENCE_BUDGET);
}

void ff_site_committed_strayed(struct ff_site *s, uint32_t reason)
{
	if (!s || is_mishap(s, reason))
		return;
	atomic_fetch_add(&s->strikes, 1);
	atomic_store(&s->back, (uint8_t)(COMMITTED | reason));
	atomic_store(&s->score, 0);
}

void ff_site_real(struct ff_site *s)
{
	if (s)
		atomic_fetch_add(&s->reals, 1);
}

void ff_site_note_child(const struct ff_site *s, pid_t child)
{
	uint32_t at = atomic_fetch_add(&sites.next, 1) % RECENT;

	if (s)
		atomic_store(&sites.recent[at],
			     (index_of(s) + 1) << 32 | (uint32_t)child);
}

bool ff_site_came_too_late(pid_t child)
{
	uint64_t noted;
	unsigned i;

	for (i = 0; i < RECENT; i++) {
		noted = atomic_load(&sites.recent[i]);
		if (!noted || (uint32_t)noted != (uint32_t)child)
			continue;
		atomic_store(&sites.table[(noted >> 32) - 1].late, true);
		return true;
	}
	return false;
}

bool ff_site_is_late(const struct ff_site *s)
{
	return s && atomic_load(&s->late);
}

/* What is known from the process this is a copy of stays known; its other
 * children, and our own from now on, need not have what is told to it. */
static void keep_what_was_told(struct told *t)
{
	unsigned i;

	for (i = 0; i < SITES; i++)
		if (atomic_load(&sites.table[i].reals))
			atomic_fetch_add(&sites.table[i].real_execs,
					 believed(&sites.table[i], t));
	sys(madvise, t, FF_PAGE, MADV_DONTFORK);
}

void ff_sites_listen(void)
{
	struct told *none = NULL, *up = atomic_load(&told.to_parent);
	long at;

	if (atomic_load(&told.by_children))
		return;
	at = sys(mmap, NULL, FF_PAGE, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ff_is_error(at))
		return;
	if (!atomic_compare_exchange_strong(&told.by_children, &none,
					    (struct told *)at))
		sys(munmap, at, FF_PAGE);
	else if (up)
		keep_what_was_told(up);
}

void ff_sites_new_process(void)
{
	struct told *up = atomic_exchange(&told.by_children, NULL);

	if (up)
		atomic_store(&told.to_parent, up);
	atomic_store(&told.born_at, NULL);
}
FF_IN_NEW_PROCESS(ff_sites_new_process);

void ff_site_born_real(struct ff_site *s)
{
	struct told *up = atomic_load(&told.to_parent);

	atomic_store(&told.born_at, s && up ? &up->execs[index_of(s)] : NULL);
}

bool ff_site_is_born_real(void)
{
	return atomic_load(&told.born_at) != NULL;
}

void ff_site_child_execs(void)
{
	_Atomic uint32_t *at = atomic_exchange(&told.born_at, NULL);

	if (at)
		atomic_fetch_add(at, 1);
}

/* In a word: base, offset above it, and in the upper half where fp is. */
#define BASE_BITS 2
#define NO_RULE (~(uint64_t)0)

bool ff_site_frame(struct ff_site *s, struct ff_frame_rule *ret_rule)
{
	uint64_t known = s ? atomic_load(&s->frame) : NO_RULE;

	if (known == 0) {
		known = NO_RULE;
		if (ff_frame_rule_at(atomic_load(&s->address), ret_rule) &&
		    ret_rule->offset > 0 &&
		    ret_rule->offset < INT32_MAX >> BASE_BITS)
			known = (uint64_t)(uint32_t)ret_rule->fp_at << 32 |
				(uint32_t)ret_rule->offset << BASE_BITS |
				ret_rule->base;
		atomic_store(&s->frame, known);
	}
	if (known == NO_RULE)
		return false;
	ret_rule->base = known & ((1u << BASE_BITS) - 1);
	ret_rule->offset = (int32_t)((uint32_t)known >> BASE_BITS);
	ret_rule->fp_at = (int32_t)(known >> 32);
	return true;
}

/* The parent's page is shared memory, too, which our own children have not. */
void ff_sites_pages(uintptr_t ret_page[FF_SITES_PAGES])
{
	ret_page[0] = (uintptr_t)atomic_load(&told.by_children);
	ret_page[1] = (uintptr_t)atomic_load(&told.to_parent);
}
