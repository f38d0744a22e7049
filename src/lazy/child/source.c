/*
 * Runs in the child. It reads its parent by descriptors; if the parent can't
 * wait any longer, another process stands in for it (standin.c), which is
 * asked by words in the image, and answers in its window.
 *
 * Hazards
 *  H-D11 The parent says that somebody stands in before it goes on, and asks
 *       nobody: the child may be anywhere, stopped, or in the middle of a
 *       read. So what was read from the parent is good only if it was still
 *       the source afterwards; else it is read again from the other one.
 *  H-D12 Who stands in may be killed. Its word in the image tells, as a robust
 *       futex does; who waits for an answer looks at it now and then. Who is
 *       stopped, by somebody who sees it, is let go on.
 */
#include "lazy/child/source.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "lazy/child/child.h"

static const struct timespec a_while = { 0, 100L * 1000 * 1000 };

static bool parent_is_source(void)
{
	return atomic_load(&ff_child.shared->source) == FF_SOURCE_PARENT;
}

static void rouse(uint32_t standin)
{
	if (standin)
		sys(kill, standin, SIGCONT);
}

static void wait_for_answer(struct ff_shared *sh, uint32_t number)
{
	uint32_t seen;

	while ((seen = atomic_load(&sh->answered)) != number) {
		if (atomic_load(&sh->standin) & FUTEX_OWNER_DIED)
			return; /* H-D12 */
		if (sys(futex, &sh->answered, FUTEX_WAIT, seen, &a_while, NULL,
			0) == -ETIMEDOUT)
			rouse(atomic_load(&sh->standin) & FUTEX_TID_MASK);
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
	sys(futex, &sh->asked, FUTEX_WAKE, 1, NULL, NULL, 0);
	wait_for_answer(sh, number);
	if (atomic_load(&sh->answered) != number)
		return -ESRCH;
	answer = sh->answer;
	if (answer > (long)bytes)
		return -EIO;
	if (answer > 0)
		memcpy(into, ff_child.slot->window, (size_t)answer);
	return answer;
}

long ff_source_read(uintptr_t start, size_t bytes)
{
	long got;

	if (parent_is_source()) {
		got = sys(pread64, ff_child.mem, start, bytes, start);
		if (parent_is_source()) /* H-D11 */
			return got;
	}
	return ask(FF_WANT_MEMORY, start, bytes, (void *)start);
}

long ff_source_pagemap(uintptr_t start, uint64_t *entries, size_t count)
{
	const size_t entry = sizeof(*entries);
	long got;

	if (parent_is_source()) {
		got = sys(pread64, ff_child.pagemap, entries, count * entry,
			  start / FF_PAGE * entry);
		if (parent_is_source())
			return got < 0 ? got : got / (long)entry;
	}
	got = ask(FF_WANT_PAGEMAP, start, count * entry, entries);
	return got < 0 ? got : got / (long)entry;
}
