#include "lend/record.h"

#include "host/fault.h"
#include "host/hash.h"
#include "lend/fence.h"
#include "site/frame.h"

#define RECORDS 64
#define FRAMES 2 /* above fork's caller */
/* What libc itself writes in a fork's child, and not in one that borrows. */
#define OF_LIBC 8

static struct ff_record records[RECORDS];

/* 0: no such route. */
static uintptr_t key_of(const struct ff_caller *caller)
{
	uintptr_t above[FRAMES], key = caller->pc;
	unsigned i;

	if (ff_frame_callers(caller->pc, caller->sp, caller->fp, above,
			     FRAMES) < FRAMES)
		return 0;
	for (i = 0; i < FRAMES; i++)
		key = ff_hash(key ^ above[i]);
	return key;
}

struct ff_record *ff_record_of(const struct ff_caller *caller)
{
	uintptr_t key = key_of(caller), free;
	struct ff_record *r;
	unsigned i;

	if (!key)
		return NULL;
	for (i = 0; i < RECORDS; i++) {
		free = 0;
		r = &records[((key >> 32) + i) % RECORDS];
		if (atomic_load(&r->key) == key ||
		    atomic_compare_exchange_strong(&r->key, &free, key) ||
		    free == key)
			return r;
	}
	return NULL;
}

bool ff_record_strays_little(const struct ff_record *r)
{
	return atomic_load(&r->strays_little) || ff_fault(FF_FAULT_FENCE_ALL);
}

void ff_record_learn(struct ff_record *r, uint32_t pages)
{
	atomic_store(&r->strays_little, pages <= FF_FENCE_PAGES + OF_LIBC);
}

void ff_record_doubt(struct ff_record *r)
{
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
