/*
 * Runs in the parent, in the SIGSYS handler, and in who stands in for it: raw
 * calls only.
 *
 * Hazards
 *  H-D4 What they go by is private, from before the child could write. Of the
 *       image they take a number, an address and a length, and give nothing
 *       but what the parent's list says that the child went without.
 *  H-D15 A question may be under way when another takes over. One of the two
 *       answers it: the one whose turn it is.
 *  H-D16 A process that is not dumpable can't open what its memory is read by,
 *       and its children must not make it so. It reads itself by
 *       process_vm_readv(), which asks nobody.
 *  H-D24 What is found under a name in /proc may be another file, that was
 *       mounted over it, of which a child would have nothing but zeros. It is
 *       asked for what is known: a word of ours, and that its page is there.
 */
#include "lazy/parent/supply.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/uio.h>
#include <time.h>

#include "host/clock.h"
#include "host/fault.h"
#include "host/page.h"
#include "host/sys.h"
#include "process/filter.h"

#define WORD_OF_32_BITS 2
struct waited {
	uint64_t value, at;
	uint32_t flags, unused;
};

/* Of a sleep in which not every word is seen. */
#define SLICE_NS ((int64_t)1000 * 1000)

/* H-D24. A copy of this process may have the same at the same place: two
 * values that follow each other are this one's. */
static bool reads_us(int fd)
{
	volatile uintptr_t word = (uintptr_t)&word;
	uintptr_t first = 0, second = 0;

	sys(pread64, fd, &first, sizeof(first), (uintptr_t)&word);
	word = ~word;
	sys(pread64, fd, &second, sizeof(second), (uintptr_t)&word);
	return first == (uintptr_t)&word && second == ~first;
}

/* H-D24 */
static bool knows_our_pages(int fd)
{
	volatile uint64_t entry = 0;

	return sys(pread64, fd, &entry, sizeof(entry),
		   (uintptr_t)&entry / FF_PAGE * sizeof(entry)) ==
		       (long)sizeof(entry) &&
	       (entry & FF_PAGE_IS_THERE);
}

static int open_own(struct ff_held *ret, const char *path,
		    bool (*is_ours)(int fd))
{
	int rc = ff_fault(FF_FAULT_NO_MEM) ? -EACCES : ff_hold(ret, path);

	if (rc == 0 && !is_ours(ret->fd)) {
		ff_release(ret);
		rc = -ENOENT;
	}
	if (rc < 0)
		ret->fd = -1;
	return rc;
}

int ff_open_memory(struct ff_held *ret)
{
	return open_own(ret, "/proc/self/mem", reads_us);
}

int ff_open_pagemap(struct ff_held *ret)
{
	return open_own(ret, "/proc/self/pagemap", knows_our_pages);
}

static long read_self(void *into, uintptr_t at, size_t bytes)
{
	struct iovec to = { into, bytes }, from = { (void *)at, bytes };

	if (ff_fault(FF_FAULT_NO_READV))
		return -EPERM;
	return sys(process_vm_readv, ff_getpid(), &to, 1, &from, 1, 0);
}

bool ff_can_supply(void)
{
	const uint64_t from = 1;
	uint64_t to = 0;

	return read_self(&to, (uintptr_t)&from, sizeof(to)) == sizeof(to);
}

void ff_supply_begin(struct ff_supply *s, struct ff_slot *image,
		     const struct ff_areas *areas, enum ff_source who)
{
	s->image = image;
	s->areas = areas;
	s->who = who;
	s->mem.fd = s->pagemap.fd = -1;
	s->answered = atomic_load(&image->of_child.answered);
	ff_supply_is_asked(s);
}

void ff_supply_open(struct ff_supply *s)
{
	ff_open_memory(&s->mem);
	ff_open_pagemap(&s->pagemap);
}

bool ff_supply_is_asked(struct ff_supply *s)
{
	struct ff_shared *sh = &s->image->of_child;

	s->source = atomic_load(&sh->source);
	s->asked = atomic_load(&sh->asked);
	return s->source == (uint32_t)s->who &&
	       s->asked != s->answered; /* H-D15 */
}

/* H-D16. What can't be written to is not what can't be read; and where it may
 * not be read at all, nothing is known of it. */
static long read_for(struct ff_slot *image, uintptr_t at, size_t bytes)
{
	long got = read_self(image->window, at, bytes);
	char byte;

	if (got >= 0 || got == -ENOMEM)
		return got;
	if (got != -EFAULT)
		return -EBADF;
	return read_self(&byte, at, 1) == 1 ? -ENOMEM : got;
}

static long read_memory(const struct ff_supply *s, uintptr_t at, size_t bytes)
{
	return s->mem.fd >= 0 ?
		       sys(pread64, s->mem.fd, s->image->window, bytes, at) :
		       read_for(s->image, at, bytes);
}

/* The entries' two highest bits: where the pages are is for nobody to know. */
static long read_pagemap(const struct ff_supply *s, uintptr_t at, size_t bytes)
{
	uint64_t *entry = (uint64_t *)s->image->window;
	struct ff_held now = s->pagemap;
	long i, got;

	if (now.fd < 0 && ff_open_pagemap(&now) < 0)
		return -EBADF;
	got = sys(pread64, now.fd, entry, bytes, at / FF_PAGE * sizeof(*entry));
	for (i = 0; i < got / (long)sizeof(*entry); i++)
		entry[i] &= FF_PAGE_IS_THERE;
	if (s->pagemap.fd < 0 && ff_release(&now) < 0)
		return -EBADF;
	return got;
}

/* How much of what lies from @at on the child went without. */
static size_t absent_bytes(const struct ff_areas *areas, uintptr_t at)
{
	unsigned i;

	for (i = 0; i < areas->count; i++)
		if (areas->area[i].start <= at && at < areas->area[i].end)
			return areas->area[i].end - at;
	return 0;
}

/* H-D4 */
void ff_supply_answer(struct ff_supply *s)
{
	struct ff_shared *sh = &s->image->of_child;
	const bool pagemap = atomic_load(&sh->question) == FF_WANT_PAGEMAP;
	size_t bytes = atomic_load(&sh->bytes), most;
	uintptr_t at = atomic_load(&sh->at);

	most = absent_bytes(s->areas, at);
	if (pagemap)
		most = most / FF_PAGE * sizeof(uint64_t);
	if (most > FF_WINDOW_BYTES)
		most = FF_WINDOW_BYTES;
	if (bytes > most)
		bytes = most;
	sh->answer = bytes == 0 ? -EFAULT :
		     pagemap	? read_pagemap(s, at, bytes) :
				  read_memory(s, at, bytes);
	s->answered = s->asked;
	atomic_store(&sh->answered, s->answered);
	sys(futex, &sh->answered, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static struct timespec time_of(int64_t ns)
{
	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

/* Before futex_waitv: for the word that matters more, and the other is looked
 * at now and then. A child in execve asks nothing. */
static void sleep_for_one(const struct ff_supply *s, uint32_t owner, int64_t ns)
{
	struct ff_shared *sh = &s->image->of_child;
	const bool asks = atomic_load(&sh->state) != FF_EXECING;
	struct timespec t;

	if (asks && s->who == FF_SOURCE_PARENT && ns > SLICE_NS)
		ns = SLICE_NS;
	t = time_of(ns);
	if (asks)
		sys(futex, &sh->asked, FUTEX_WAIT, s->asked, &t, NULL, 0);
	else
		sys(futex, &sh->owner, FUTEX_WAIT, owner, &t, NULL, 0);
}

void ff_supply_sleep(const struct ff_supply *s, uint32_t owner, int64_t ns)
{
	struct ff_shared *sh = &s->image->of_child;
	const struct waited words[] = {
		{ s->asked, (uintptr_t)&sh->asked, WORD_OF_32_BITS, 0 },
		{ s->source, (uintptr_t)&sh->source, WORD_OF_32_BITS, 0 },
		{ owner, (uintptr_t)&sh->owner, WORD_OF_32_BITS, 0 },
	};
	struct timespec t;
	long rc;

	if (owner & FUTEX_OWNER_DIED) { /* stays so, and is not waited for */
		t = time_of(ns);
		sys(futex, &sh->asked, FUTEX_WAIT, s->asked, &t, NULL, 0);
		return;
	}
	t = time_of(ff_now_ns() + ns);
	rc = ff_fault(FF_FAULT_NO_WAITV) ||
			     !ff_filter_allows(FF_ASK_futex_waitv) ?
		     -ENOSYS :
		     sys(futex_waitv, words, 3, 0, &t, CLOCK_MONOTONIC);
	if (rc < 0 && rc != -EAGAIN && rc != -ETIMEDOUT && rc != -EINTR)
		sleep_for_one(s, owner, ns);
}
