#include "lend/record.h"

#include <stddef.h>

#include "host/fault.h"
#include "host/hot.h"
#include "host/table.h"
#include "lend/fence.h"
#include "site/frame.h"

#define RECORDS 64
#define BYTES (RECORDS * sizeof(struct ff_record))
#define FRAMES 2 /* above fork's caller */
#define PROVEN 8
/* Now and then a child is looked at again. */
#define LENT_MOST 4096

static _Atomic(void *) table FF_HOT;

/* 0: no such path. */
static uintptr_t key_of(const struct ff_caller *caller)
{
	uintptr_t above[FRAMES], key = caller->rip;
	unsigned i;

	if (ff_frame_callers(caller->rip, caller->rsp, caller->rbp, above,
			     FRAMES) < FRAMES)
		return 0;
	for (i = 0; i < FRAMES; i++)
		key = (key ^ above[i]) * 0x9e3779b97f4a7c15u;
	return key;
}

struct ff_record *ff_record_of(const struct ff_caller *caller)
{
	struct ff_record *t = ff_table(&table, BYTES), *r;
	uintptr_t key = key_of(caller), free;
	unsigned i;

	if (!t || !key)
		return NULL;
	for (i = 0; i < RECORDS; i++) {
		free = 0;
		r = &t[((key >> 32) + i) % RECORDS];
		if (atomic_load(&r->key) == key ||
		    atomic_compare_exchange_strong(&r->key, &free, key) ||
		    free == key)
			return r;
	}
	return NULL;
}

bool ff_record_is_proven(struct ff_record *r)
{
	if (atomic_load(&r->barred) || atomic_load(&r->pure) < PROVEN)
		return false;
	return atomic_fetch_add(&r->lent, 1) % LENT_MOST != LENT_MOST - 1;
}

bool ff_record_strays_little(const struct ff_record *r)
{
	return atomic_load(&r->strays_little) || ff_fault(FF_FAULT_FENCE_ALL);
}

void ff_record_doubt(struct ff_record *r)
{
	atomic_store(&r->pure, 0);
	atomic_store(&r->strays_little, false);
}

void ff_record_bar(struct ff_record *r)
{
	atomic_store(&r->barred, true);
}

bool ff_record_is_barred(const struct ff_record *r)
{
	return atomic_load(&r->barred);
}

void ff_record_bar_fence(struct ff_record *r)
{
	atomic_store(&r->fence_barred, true);
}

bool ff_record_is_fence_barred(const struct ff_record *r)
{
	return atomic_load(&r->fence_barred);
}

static bool knows(const struct ff_record *r, uint32_t count, int32_t at)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (r->at[i] == at)
			return true;
	return false;
}

/* False: there are too many. */
static bool add_words(struct ff_record *r, const struct ff_purity *purity)
{
	uint32_t count = atomic_load(&r->count);
	unsigned i;

	for (i = 0; i < purity->count; i++) {
		if (knows(r, count, purity->at[i]))
			continue;
		if (count == FF_PURITY_WORDS)
			return false;
		r->at[count++] = purity->at[i];
		/* A word more, a proof anew. */
		atomic_store(&r->pure, 0);
	}
	atomic_store(&r->count, count);
	return true;
}

void ff_record_learn(struct ff_record *r, const struct ff_purity *purity)
{
	atomic_store(&r->strays_little,
		     atomic_load(&purity->strayed) <= FF_FENCE_PAGES);
	if (atomic_load(&purity->strayed) > 0) {
		ff_record_bar(r);
		return;
	}
	if (atomic_exchange(&r->learning, true))
		return; /* another thread's child counts instead */
	if (add_words(r, purity))
		atomic_fetch_add(&r->pure, 1);
	else
		ff_record_bar(r);
	atomic_store(&r->learning, false);
}
