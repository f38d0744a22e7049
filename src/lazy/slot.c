#include "lazy/slot.h"

#include <string.h>
#include <sys/mman.h>

#include "arch/hot.h"
#include "host/identity.h"
#include "host/newborn.h"
#include "host/sys.h"
#include "process/fate.h"
#include "site/site.h"

/*
 * The kernel maps 64 KiB around a first access at once. The upper half of
 * the stack and the first half of the slot are to be in one such window.
 */
#define WINDOW ((uintptr_t)64 << 10)

_Thread_local struct ff_slot *ff_current
	__attribute__((tls_model("initial-exec")));

static struct {
	_Atomic bool busy;
	_Atomic bool open; /* true where a child may have inherited the image */
	struct ff_house *house, *image;
	pid_t last; /* who had the image; H-I4 */
} slots[FF_SLOTS] FF_HOT;

/* For the log: what a thread finds may be another one's. */
static _Atomic bool refused FF_HOT;

static struct ff_house *get_house(void)
{
	size_t bytes = sizeof(struct ff_house) + WINDOW;
	uintptr_t from, border;
	long at = sys(mmap, NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (ff_is_error(at))
		return NULL;
	if (sys(madvise, at, bytes, MADV_DONTFORK) < 0) {
		sys(munmap, at, bytes);
		return NULL;
	}
	from = (uintptr_t)at + FF_ALTSTACK_BYTES;
	border = ((from + WINDOW / 2 - 1) & ~(WINDOW - 1)) + WINDOW / 2;
	return (struct ff_house *)(border - FF_ALTSTACK_BYTES);
}

static struct ff_house *get_image(void)
{
	long at =
		sys(mmap, NULL, sizeof(struct ff_house), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (ff_is_error(at))
		return NULL;
	if (sys(madvise, at, sizeof(struct ff_house), MADV_DONTFORK) < 0 ||
	    sys(madvise, at, sizeof(struct ff_house), MADV_DONTDUMP) < 0) {
		sys(munmap, at, sizeof(struct ff_house));
		return NULL;
	}
	return (struct ff_house *)at;
}

static void drop_image(unsigned i)
{
	if (slots[i].image)
		sys(munmap, slots[i].image, sizeof(struct ff_house));
	slots[i].image = NULL;
}

struct ff_slot *ff_slot_take(void)
{
	struct ff_slot *s;
	unsigned i;
	bool busy;

	for (i = 0; i < FF_SLOTS; i++) {
		busy = false;
		if (!atomic_compare_exchange_strong(&slots[i].busy, &busy,
						    true))
			continue;
		if (!slots[i].house)
			slots[i].house = get_house();
		if (slots[i].last && !ff_is_over(slots[i].last))
			drop_image(i);
		slots[i].last = 0;
		if (slots[i].house && !slots[i].image)
			slots[i].image = get_image();
		atomic_store(&refused, !slots[i].image);
		if (!slots[i].image) {
			atomic_store(&slots[i].busy, false);
			return NULL;
		}
		s = &slots[i].house->slot;
		memset(s, 0, offsetof(struct ff_slot, keep));
		s->shared = &slots[i].image->slot.of_child;
		memset(s->shared, 0, sizeof(*s->shared));
		s->call = -1;
		return s;
	}
	return NULL;
}

bool ff_slots_are_taken(void)
{
	unsigned i;

	for (i = 0; i < FF_SLOTS; i++)
		if (!atomic_load(&slots[i].busy))
			return false;
	return true;
}

bool ff_slots_are_refused(void)
{
	return atomic_load(&refused);
}

static unsigned index_of(const struct ff_slot *slot)
{
	unsigned i;

	for (i = 0; i < FF_SLOTS - 1; i++)
		if (slots[i].house && slot == &slots[i].house->slot)
			break;
	return i;
}

/*
 * H-I2. A committed child of a parent with rights to give up may do so by what
 * it writes, to files that change its label; and where there are threads, one
 * may make a process past us while the image is inherited.
 */
static bool is_used_up(struct ff_slot *slot)
{
	if (slot->outcome == FF_OUTCOME_RELEASED || slot->at_large ||
	    slot->is_open)
		return true;
	if (slot->may_lower && (slot->committed || !slot->alone))
		return true;
	return atomic_load(&ff_image_of(slot)->latch.changed);
}

void ff_slot_put(struct ff_slot *slot)
{
	unsigned i = index_of(slot);

	if (is_used_up(slot))
		drop_image(i);
	else if (slot->supplied) /* H-I5 */
		memset(ff_image_of(slot)->slot.window, 0, FF_WINDOW_BYTES);
	slots[i].last = slot->went_on;
	atomic_store(&slots[i].open, false);
	atomic_store(&slots[i].busy, false);
}

bool ff_slot_open(struct ff_slot *slot)
{
	unsigned i = index_of(slot);

	atomic_store(&slots[i].open, true);
	slot->is_open = sys(madvise, slots[i].image, sizeof(struct ff_house),
			    MADV_DOFORK) == 0;
	if (!slot->is_open)
		atomic_store(&slots[i].open, false);
	return slot->is_open;
}

void ff_slot_close(struct ff_slot *slot)
{
	unsigned i = index_of(slot);

	slot->is_open = sys(madvise, slots[i].image, sizeof(struct ff_house),
			    MADV_DONTFORK) < 0;
	if (!slot->is_open)
		atomic_store(&slots[i].open, false);
}

bool ff_slot_latch(struct ff_slot *own)
{
	struct ff_latch *latch = &ff_house_of(own)->latch;

	atomic_store(&latch->changed, 1);
	return sys(munmap, latch, FF_PAGE) == 0;
}

void ff_slots_of_others(const struct ff_slot *own)
{
	unsigned i;

	for (i = 0; i < FF_SLOTS; i++)
		if (atomic_load(&slots[i].open) && own != &slots[i].house->slot)
			drop_image(i);
}

enum ff_reason ff_reason_told(const struct ff_slot *slot)
{
	uint32_t reason = atomic_load(&slot->shared->reason);

	return reason < FF_REASON_COUNT ? (enum ff_reason)reason :
					  FF_REASON_NONE;
}

static uint32_t at_most(uint32_t n, uint32_t most)
{
	return n < most ? n : most;
}

/* Loads that the compiler makes once: anybody may be writing there. */
#define ONCE(word) (*(volatile __typeof__(word) *)&(word))

void ff_warm_told(const struct ff_slot *slot, struct ff_warm *ret_warm)
{
	const struct ff_warm *warm = &slot->shared->warm;
	unsigned i, n = at_most(ONCE(warm->count), FF_WARM_MAX);
	uintptr_t cluster;

	ret_warm->count = 0;
	for (i = 0; i < n; i++) {
		cluster = ONCE(warm->cluster[i]);
		if (cluster % FF_CLUSTER == 0 &&
		    ff_areas_touch(&slot->areas, cluster, FF_CLUSTER))
			ret_warm->cluster[ret_warm->count++] = cluster;
	}
}

void ff_areas_copy(struct ff_areas *to, const struct ff_areas *from)
{
	memcpy(to, from,
	       offsetof(struct ff_areas, area) +
		       from->count * sizeof(from->area[0]));
	memcpy(to->shared, from->shared,
	       from->shared_count * sizeof(from->shared[0]));
}

void ff_slot_depict(struct ff_slot *slot)
{
	struct ff_slot *image = &ff_image_of(slot)->slot;

	memcpy(image, slot, offsetof(struct ff_slot, of_child));
	ff_areas_copy(&image->areas, &slot->areas);
}

void ff_slots_reset(void)
{
	unsigned i;

	for (i = 0; i < FF_SLOTS; i++) {
		/* Neither is inherited, and what is there may be the
		 * program's by now; a lazy child's own image has moved. */
		slots[i].house = slots[i].image = NULL;
		slots[i].last = 0;
		atomic_store(&slots[i].open, false);
		atomic_store(&slots[i].busy, false);
	}
	ff_current = NULL;
}
FF_IN_NEW_PROCESS(ff_slots_reset);

static void keep_house(struct ff_keep *keep, const struct ff_house *house)
{
	if (house)
		keep->range[keep->count++] = (struct ff_range){
			(uintptr_t)house,
			ff_page_ceiling((uintptr_t)(house + 1))
		};
}

void ff_slots_keep(struct ff_keep *keep)
{
	unsigned i;

	for (i = 0; i < FF_SLOTS; i++) {
		keep_house(keep, slots[i].house);
		keep_house(keep, slots[i].image);
	}
}

static void keep_page(struct ff_keep *keep, uintptr_t page)
{
	if (page)
		keep->range[keep->count++] =
			(struct ff_range){ page, page + FF_PAGE };
}

void ff_pages_keep(struct ff_keep *keep)
{
	uintptr_t page[FF_SITES_PAGES];
	unsigned i;

	ff_sites_pages(page);
	for (i = 0; i < FF_SITES_PAGES; i++)
		keep_page(keep, page[i]);
	keep_page(keep, ff_identity_page());
}
