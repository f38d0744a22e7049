/*
 * Runs in the child. One source, and three who make it: descriptors of the
 * parent's memory, where it could open them; the parent itself, which waits;
 * and who stands in for it, if it can't wait any longer (standin.c). The last
 * two are asked by words in the image, and answer in its window
 * (parent/supply.c).
 *
 * Hazards
 *  H-D11 The parent says that somebody stands in before it goes on, and asks
 *       nobody: the child may be anywhere, stopped, or in the middle of a
 *       read. So what was read from the parent is good only if it was still
 *       the source afterwards; else it is read again from the other one.
 *  H-D12 Who stands in may be killed. Its word in the image tells, as a robust
 *       futex does; who waits for an answer looks at it now and then. Who is
 *       stopped, by somebody who sees it, is let go on.
 *  H-D17 The parent may be killed, stopped, or have another program by the
 *       doing of another thread. A child on trial waits for its answer for
 *       some seconds, and is taken back then; a committed one, whose parent
 *       has no other thread, until that is dead.
 *  H-D23 Where it has, a committed child has a descriptor of its memory, which
 *       says that there is none any more, and asks nobody in vain.
 */
#include "lazy/child/source.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "host/pidns.h"
#include "lazy/child/child.h"

static const struct timespec a_while = { 0, 100L * 1000 * 1000 };

static bool parent_is_source(void)
{
	return atomic_load(&ff_child.shared->source) == FF_SOURCE_PARENT;
}

/* Of a_while; H-D17 */
#define SLICES 50

static void rouse(uint32_t standin)
{
	if (standin)
		sys(kill, standin, SIGCONT);
}

/* Nobody will answer. */
static bool is_in_vain(struct ff_shared *sh, unsigned slices)
{
	if (!parent_is_source()) /* H-D12 */
		return atomic_load(&sh->standin) & FUTEX_OWNER_DIED;
	return ff_parent_is_dead(ff_child.parent) ||
	       (!ff_child.committed && slices >= SLICES); /* H-D17 */
}

static void wait_for_answer(struct ff_shared *sh, uint32_t number)
{
	unsigned slices = 0;
	uint32_t seen;

	while ((seen = atomic_load(&sh->answered)) != number &&
	       !is_in_vain(sh, slices)) {
		if (sys(futex, &sh->answered, FUTEX_WAIT, seen, &a_while, NULL,
			0) != -ETIMEDOUT)
			continue;
		slices++;
		if (!parent_is_source())
			rouse(atomic_load(&sh->standin) & FUTEX_TID_MASK);
	}
}

/* The pages of a fresh mapping are zero already. */
static void take(void *to, const void *from, size_t bytes)
{
	static const char zero[FF_PAGE];
	size_t at, n;

	for (at = 0; at < bytes; at += n) {
		n = bytes - at < FF_PAGE ? bytes - at : FF_PAGE;
		if (n < FF_PAGE || memcmp((const char *)from + at, zero, n))
			memcpy((char *)to + at, (const char *)from + at, n);
	}
}

static long ask(enum ff_want question, uintptr_t at, size_t bytes, void *into)
{
	struct ff_shared *sh = ff_child.shared;
	uint32_t number = atomic_load(&sh->asked) + 1;
	long answer;

	if (bytes > FF_WINDOW_BYTES)
		bytes = FF_WINDOW_BYTES;
	sh->question = question;
	sh->at = at;
	sh->bytes = bytes;
	atomic_store(&sh->asked, number);
	sys(futex, &sh->asked, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	wait_for_answer(sh, number);
	if (atomic_load(&sh->answered) != number)
		return -ESRCH;
	answer = sh->answer;
	if (answer > (long)bytes)
		return -EIO;
	if (answer > 0 && question == FF_WANT_MEMORY)
		take(into, ff_child.slot->window, (size_t)answer);
	else if (answer > 0)
		memcpy(into, ff_child.slot->window, (size_t)answer);
	return answer;
}

/* What a descriptor does not give, its owner may: it can be one that opens, and
 * may not be read. */
long ff_source_read(uintptr_t start, size_t bytes)
{
	long got = -EBADF, told;

	if (parent_is_source() && ff_child.mem >= 0) {
		got = sys(pread64, ff_child.mem, start, bytes, start);
		if (got > 0 && parent_is_source()) /* H-D11 */
			return got;
		if (got == 0 && parent_is_source()) /* H-D23 */
			return -ESRCH;
	}
	told = ask(FF_WANT_MEMORY, start, bytes, (void *)start);
	return told == -EBADF ? got : told;
}

long ff_source_pagemap(uintptr_t start, uint64_t *entries, size_t count)
{
	const size_t entry = sizeof(*entries);
	long got;

	if (parent_is_source() && ff_child.pagemap >= 0) {
		got = sys(pread64, ff_child.pagemap, entries, count * entry,
			  start / FF_PAGE * entry);
		if (got > 0 && parent_is_source())
			return got / (long)entry;
		if (got == 0 && parent_is_source()) /* H-D23 */
			return -ESRCH;
	}
	got = ask(FF_WANT_PAGEMAP, start, count * entry, entries);
	return got < 0 ? got : got / (long)entry;
}

bool ff_source_is_still(void)
{
	return !parent_is_source() || ff_child.slot->alone;
}
