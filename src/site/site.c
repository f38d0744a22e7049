/*
 * The counter starts at 1: a site is tried. An exec makes it 2, the most; a
 * child that was taken back costs one, and below 1 the site forks for real,
 * with a retry after `patience` forks. A trial that fails costs some 300 us;
 * one that runs into the time budget, 100 ms: patience differs accordingly.
 */
#include "site/site.h"

#include <stddef.h>

#include "host/hot.h"
#include "host/table.h"
#include "lazy/slot.h"

#define SITES 64
#define TABLE_BYTES (SITES * sizeof(struct ff_site))
#define SCORE_MAX 2
#define PATIENCE 16
#define PATIENCE_BUDGET 512
#define PATIENCE_MAX 8192
#define PROVEN 2 /* real children in a row that came to exec */
/* Memory moves: what is warm is learnt afresh after so many children. */
#define AFRESH 1024

static _Atomic(void *) table FF_HOT;
static struct ff_site *born_at FF_HOT;

static const bool commits[] = {
#define X(id, text, committable) committable,
	FF_REASONS(X)
#undef X
};

struct ff_site *ff_site_of(const void *return_address)
{
	uintptr_t key = (uintptr_t)return_address, free;
	struct ff_site *t = ff_table(&table, TABLE_BYTES), *s;
	unsigned i, at = (unsigned)((key * 0x9e3779b97f4a7c15u) >> 58);

	for (i = 0; t && i < SITES; i++) {
		s = &t[(at + i) % SITES];
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

static bool is_proven(const struct ff_site *s)
{
	uint32_t reals = atomic_load(&s->reals);

	return atomic_load(&s->outputs) >= PROVEN && reals >= PROVEN &&
	       atomic_load(&s->real_execs) == reals &&
	       atomic_load(&s->strikes) == 0;
}

enum ff_way ff_site_predict(struct ff_site *s)
{
	if (!s)
		return FF_WAY_TRIAL;
	if (is_proven(s))
		return FF_WAY_COMMITTED;
	if (atomic_load(&s->score) > 0)
		return FF_WAY_TRIAL;
	if (atomic_fetch_add(&s->skipped, 1) < atomic_load(&s->patience))
		return FF_WAY_REAL;
	atomic_store(&s->skipped, 0);
	return FF_WAY_TRIAL;
}

static bool is_warm(const struct ff_site *s, uintptr_t cluster, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (atomic_load(&s->warm[i]) == cluster)
			return true;
	return false;
}

static void learn(struct ff_site *s, const struct ff_warm *fetched)
{
	uint32_t count = atomic_load(&s->warm_count);
	unsigned i;

	if (atomic_fetch_add(&s->execs, 1) % AFRESH == AFRESH - 1)
		count = 0;
	for (i = 0; i < fetched->count && count < FF_WARM_MAX; i++)
		if (!is_warm(s, fetched->cluster[i], count))
			atomic_store(&s->warm[count++], fetched->cluster[i]);
	atomic_store(&s->warm_count, count);
}

void ff_site_keep_warm(const struct ff_site *s, struct ff_warm *ret_warm)
{
	unsigned i;

	ret_warm->count = s ? atomic_load(&s->warm_count) : 0;
	for (i = 0; i < ret_warm->count; i++)
		ret_warm->cluster[i] = atomic_load(&s->warm[i]);
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

void ff_site_back(struct ff_site *s, uint32_t reason)
{
	uint32_t patience;

	if (!s || reason == FF_REASON_SIGNAL)
		return;
	if (commits[reason])
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

void ff_site_committed_strayed(struct ff_site *s)
{
	if (!s)
		return;
	atomic_fetch_add(&s->strikes, 1);
	atomic_store(&s->score, 0);
}

void ff_site_real(struct ff_site *s)
{
	if (s)
		atomic_fetch_add(&s->reals, 1);
}

void ff_site_born_real(struct ff_site *s)
{
	born_at = s;
}

bool ff_site_is_born_real(void)
{
	return born_at != NULL;
}

void ff_site_child_execs(void)
{
	if (born_at)
		atomic_fetch_add(&born_at->real_execs, 1);
	born_at = NULL;
}

/* In a word: base, offset above it, and in the upper half where rbp is. */
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
			known = (uint64_t)(uint32_t)ret_rule->rbp_at << 32 |
				(uint32_t)ret_rule->offset << BASE_BITS |
				ret_rule->base;
		atomic_store(&s->frame, known);
	}
	if (known == NO_RULE)
		return false;
	ret_rule->base = known & ((1u << BASE_BITS) - 1);
	ret_rule->offset = (int32_t)((uint32_t)known >> BASE_BITS);
	ret_rule->rbp_at = (int32_t)(known >> 32);
	return true;
}

void ff_sites_keep(struct ff_keep *keep)
{
	struct ff_site *t = atomic_load(&table);

	if (t)
		keep->range[keep->count++] = (struct ff_range){
			(uintptr_t)t, ((uintptr_t)t + TABLE_BYTES + FF_PAGE -
				       1) & ~(FF_PAGE - 1)
		};
}
