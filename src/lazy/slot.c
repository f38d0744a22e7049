#include "lazy/slot.h"

#include <string.h>
#include <sys/mman.h>

#include "host/sys.h"

#define SLOTS 4
#define SHARED_BYTES FF_PAGE

_Thread_local struct ff_slot *ff_current
	__attribute__((tls_model("initial-exec")));

static struct ff_slot slots[SLOTS];

static bool is_error(long rc)
{
	return rc < 0 && rc > -4096;
}

static bool get_memory(struct ff_slot *s)
{
	long at;

	if (!s->altstack) {
		at = sys(mmap, NULL, FF_ALTSTACK_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (is_error(at))
			return false;
		s->altstack = (char *)at;
	}
	if (!s->shared) {
		at = sys(mmap, NULL, SHARED_BYTES, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (is_error(at))
			return false;
		s->shared = (struct ff_shared *)at;
	}
	memset(s->shared, 0, sizeof(*s->shared));
	return true;
}

struct ff_slot *ff_slot_take(void)
{
	struct ff_slot *s;
	bool busy;

	for (s = slots; s < slots + SLOTS; s++) {
		busy = false;
		if (!atomic_compare_exchange_strong(&s->busy, &busy, true))
			continue;
		if (!get_memory(s)) {
			atomic_store(&s->busy, false);
			return NULL;
		}
		s->armed = s->real = s->committed = s->pushed = false;
		s->outcome = FF_OUTCOME_NONE;
		s->why_real = NULL;
		s->reason = FF_REASON_NONE;
		s->call = -1;
		return s;
	}
	return NULL;
}

void ff_slot_put(struct ff_slot *slot)
{
	atomic_store(&slot->busy, false);
}

void ff_slot_leave_shared(struct ff_slot *slot)
{
	sys(munmap, slot->shared, SHARED_BYTES);
	slot->shared = NULL;
}

void ff_slots_reset(void)
{
	struct ff_slot *s;

	for (s = slots; s < slots + SLOTS; s++) {
		if (s->shared)
			sys(munmap, s->shared, SHARED_BYTES);
		s->shared = NULL;
		atomic_store(&s->busy, false);
	}
	ff_current = NULL;
}

static void keep_range(struct ff_keep *keep, const void *start, size_t bytes)
{
	if (start)
		keep->range[keep->count++] =
			(struct ff_range){ (uintptr_t)start,
					   (uintptr_t)start + bytes };
}

void ff_slots_keep(struct ff_keep *keep)
{
	struct ff_slot *s;

	for (s = slots; s < slots + SLOTS; s++) {
		keep_range(keep, s->altstack, FF_ALTSTACK_BYTES);
		keep_range(keep, s->shared, SHARED_BYTES);
	}
}
