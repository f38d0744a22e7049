/*
 * Runs in the parent, wherever a fork, vfork or spawn may be called: in any
 * thread, in signal handlers.
 *
 * Rules: no lock, no allocation, no system call, nothing that is waited for.
 * Nothing but numbers is written, and only in the table. What a thread can't
 * count because another one is clearing the row is counted in the next.
 */
#include "site/tally.h"

#include <string.h>

#include "arch/hot.h"
#include "host/hash.h"
#include "host/newborn.h"

#define LINKER_SYMBOL __attribute__((visibility("hidden")))
extern LINKER_SYMBOL const char ff_object_start[] __asm__("__ehdr_start");
extern LINKER_SYMBOL const char ff_object_end[] __asm__("_end");

static struct ff_tally_row rows[FF_TALLY_ROWS];

struct ff_tally_table ff_tallies FF_HOT = {
	.mark = FF_TALLY_MARK,
	.layout = FF_TALLY_LAYOUT,
	.rows = rows,
	.object = ff_object_start,
};

/* A key of this process, as the kernel's addresses have no more bits; a row
 * that is being cleared has the address 1. */
static uint64_t key_of(uintptr_t address)
{
	return (uint64_t)atomic_load(&ff_tallies.generation) << 48 |
	       (address & FF_TALLY_ADDRESS);
}

static bool is_mine(uint64_t key)
{
	return key && key >> 48 == key_of(0) >> 48;
}

/* Take a free row, whose key was @seen. */
static bool clear(struct ff_tally *t, uint64_t seen, uint64_t key)
{
	if (!atomic_compare_exchange_strong(&t->key, &seen, key_of(1)))
		return false;
	memset((char *)t + sizeof(t->key), 0, sizeof(*t) - sizeof(t->key));
	atomic_store(&t->key, key);
	return true;
}

static struct ff_tally *row_of(const struct ff_tally_call *call)
{
	const uint64_t key = key_of((uintptr_t)call->at);
	const unsigned at = (unsigned)(ff_hash((uintptr_t)call->at) >> 58);

	for (unsigned i = 0; i < FF_TALLY_ROWS; i++) {
		struct ff_tally *t = &rows[(at + i) % FF_TALLY_ROWS].tally;
		const uint64_t seen = atomic_load(&t->key);

		if (seen == key || (!is_mine(seen) && clear(t, seen, key)))
			return t;
	}
	return NULL;
}

/* 0: not a word of the object's. */
static uint32_t word_of(const char *text)
{
	const uintptr_t offset = (uintptr_t)text - (uintptr_t)ff_object_start;

	return text && offset < (uintptr_t)(ff_object_end - ff_object_start) &&
			       offset <= FF_TALLY_WORD ?
		       (uint32_t)offset :
		       0;
}

const char *ff_tally_text(uint32_t word)
{
	word &= FF_TALLY_WORD;
	return word && word < (uintptr_t)(ff_object_end - ff_object_start) ?
		       ff_object_start + word :
		       NULL;
}

static void add_time(struct ff_tally *t, enum ff_tally_way way, uint64_t ns)
{
	const enum ff_tally_time time =
		way == FF_TALLY_real || way == FF_TALLY_became ?
			FF_TALLY_COPIES :
			FF_TALLY_FLAT;

	if (ns)
		atomic_fetch_add(&t->time[time][ff_tally_bucket(ns)], 1);
}

static void add_way(const struct ff_tally_call *call, enum ff_tally_way way,
		    int n, uint64_t ns)
{
	struct ff_tally *t = row_of(call);

	if (!t)
		return;
	if (!atomic_load(&t->name))
		atomic_store(&t->name, word_of(call->name));
	atomic_fetch_add(&t->way[way], (uint32_t)n);
	add_time(t, way, ns);
}

static void add_why(const struct ff_tally_call *call, enum ff_tally_way way,
		    const char *why, int n)
{
	const uint32_t word = word_of(why) | (uint32_t)way << 24;
	struct ff_tally *t = row_of(call);
	unsigned i;

	if (!t)
		return;
	for (i = 0; i < FF_TALLY_WHYS - 1; i++) {
		uint32_t seen = 0;

		if (atomic_load(&t->why[i].word) == word ||
		    atomic_compare_exchange_strong(&t->why[i].word, &seen,
						   word) ||
		    seen == word)
			break;
	}
	atomic_fetch_add(&t->why[i].count, (uint32_t)n);
}

void ff_tally_made(const struct ff_tally_call *call, enum ff_tally_way way,
		   uint64_t ns)
{
	add_way(call, way, 1, ns);
}

void ff_tally_why(const struct ff_tally_call *call, enum ff_tally_way way,
		  const char *why)
{
	add_why(call, way, why, 1);
}

void ff_tally_ahead(const struct ff_tally_call *call, enum ff_tally_way way,
		    const char *why, int n)
{
	add_way(call, way, n, 0);
	add_why(call, way, why, n);
}

void ff_tally_add(const struct ff_tally_call *call, enum ff_tally_sum sum,
		  uint64_t n)
{
	struct ff_tally *t = n ? row_of(call) : NULL;

	if (t)
		atomic_fetch_add(&t->sum[sum], n);
}

static bool take(_Atomic uint32_t *from, _Atomic uint32_t *to, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		to[i] = atomic_exchange(&from[i], 0);
		any |= to[i] != 0;
	}
	return any;
}

bool ff_tally_take(unsigned at, struct ff_tally *ret_tally)
{
	struct ff_tally *t = &rows[at].tally;
	bool any;

	ret_tally->key = atomic_load(&t->key);
	if (!is_mine(ret_tally->key) || ret_tally->key == key_of(1))
		return false;
	ret_tally->key &= FF_TALLY_ADDRESS;
	ret_tally->name = atomic_load(&t->name);
	any = take(t->way, ret_tally->way, FF_TALLY_WAY_COUNT);
	for (unsigned i = 0; i < FF_TALLY_WHYS; i++) {
		ret_tally->why[i].word = atomic_load(&t->why[i].word);
		any |= take(&t->why[i].count, &ret_tally->why[i].count, 1);
	}
	for (unsigned i = 0; i < FF_TALLY_SUM_COUNT; i++)
		ret_tally->sum[i] = atomic_exchange(&t->sum[i], 0);
	for (unsigned i = 0; i < FF_TALLY_TIMES; i++)
		take(t->time[i], ret_tally->time[i], FF_TALLY_BUCKETS);
	return any;
}

static void add(_Atomic uint32_t *to, _Atomic uint32_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (from[i])
			atomic_fetch_add(&to[i], from[i]);
}

void ff_tally_give_back(unsigned at, struct ff_tally *tally)
{
	struct ff_tally *t = &rows[at].tally;

	add(t->way, tally->way, FF_TALLY_WAY_COUNT);
	for (unsigned i = 0; i < FF_TALLY_WHYS; i++)
		add(&t->why[i].count, &tally->why[i].count, 1);
	for (unsigned i = 0; i < FF_TALLY_SUM_COUNT; i++)
		atomic_fetch_add(&t->sum[i], tally->sum[i]);
	for (unsigned i = 0; i < FF_TALLY_TIMES; i++)
		add(t->time[i], tally->time[i], FF_TALLY_BUCKETS);
}

void ff_tally_new_process(void)
{
	atomic_fetch_add(&ff_tallies.generation, 1);
}
FF_IN_NEW_PROCESS(ff_tally_new_process);
