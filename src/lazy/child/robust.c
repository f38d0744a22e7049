/*
 * Runs in the child, in signal handlers, by raw calls.
 *
 * The kernel has one list for a thread. When the program (libc, right behind
 * the clone) registers its own, our word becomes the last entry of that: so
 * what the program has locked is released by the kernel, and then we are.
 *
 * Hazards
 *  H-J1 One number tells where in an entry its word is, for all entries of a
 *       list. Our entry lies so far from our word, with room on both sides.
 *  H-J2 libc's lists are linked backwards as well, by the pointer before the
 *       one that the kernel follows. The last entry's is only written, when its
 *       neighbour goes or comes; so there is room for that, too.
 *  H-J3 A program may write anything into its list. Before exec, when the
 *       kernel would stop half-way, our word gets a list of its own.
 */
#include "lazy/child/robust.h"

#include <linux/futex.h>
#include <stddef.h>

#include "host/signals.h"
#include "host/sys.h"
#include "lazy/areas.h"
#include "lazy/child/child.h"
#include "lazy/child/pager.h"

#define ENTRIES_MAX 2000 /* ROBUST_LIST_LIMIT is 2048 */

static struct ff_robust_list *entry_at(const struct ff_robust_list *next)
{
	return (struct ff_robust_list *)((uintptr_t)next & ~(uintptr_t)1);
}

static bool is_there(const void *at, size_t bytes)
{
	return (uintptr_t)at % sizeof(long) == 0 &&
	       ff_fetch((uintptr_t)at, bytes) == 0 &&
	       ff_is_readable((uintptr_t)at, bytes);
}

/* Whose next is @which; NULL: the list does not lead there. */
static struct ff_robust_list *before(struct ff_robust_head *head,
				     const struct ff_robust_list *which)
{
	struct ff_robust_list *at = &head->list;
	unsigned i;

	for (i = 0; i < ENTRIES_MAX && is_there(at, sizeof(*at)); i++) {
		if (entry_at(at->next) == which)
			return at;
		at = entry_at(at->next);
		if (at == &head->list)
			break;
	}
	return NULL;
}

static void register_own(void)
{
	struct ff_shared *sh = ff_child.shared;

	sh->head.list.next = &sh->entry;
	sh->entry.next = &sh->head.list;
	sh->head.futex_offset = (long)offsetof(struct ff_shared, owner) -
				(long)offsetof(struct ff_shared, entry);
	sh->head.pending = NULL;
	sys(set_robust_list, &sh->head, sizeof(sh->head));
}

void ff_robust_begin(void)
{
	ff_child.entry = NULL;
	register_own();
	atomic_store(&ff_child.shared->owner,
		     (uint32_t)ff_gettid() | FUTEX_WAITERS);
}

/* H-J1, H-J2 */
static struct ff_robust_list *place_for_entry(long futex_offset)
{
	struct ff_shared *sh = ff_child.shared;
	const uintptr_t at = (uintptr_t)&sh->owner - (uintptr_t)futex_offset;
	const uintptr_t low = (uintptr_t)sh->room_below + sizeof(long),
			high = (uintptr_t)(sh->room_above + FF_ROOM) -
			       sizeof(long);

	if (at < low || at > high || at % sizeof(long) ||
	    (at + sizeof(long) > (uintptr_t)&sh->owner &&
	     at < (uintptr_t)sh->room_above) ||
	    (at > (uintptr_t)&sh->owner &&
	     at < (uintptr_t)(sh->room_above + 1)))
		return NULL;
	return (struct ff_robust_list *)at;
}

static bool is_writable(struct ff_robust_list *at)
{
	struct ff_robust_list was = *at;

	if (sys(rt_sigprocmask, SIG_BLOCK, NULL, at, sizeof(ff_sigset)) < 0)
		return false;
	*at = was;
	return true;
}

static void unlink_entry(void)
{
	struct ff_robust_list *at;

	if (!ff_child.entry)
		return;
	at = before(ff_child.robust, ff_child.entry);
	if (at)
		at->next = ff_child.entry->next;
	ff_child.entry = NULL;
}

bool ff_robust_join(uintptr_t where)
{
	struct ff_robust_head *head = (struct ff_robust_head *)where;
	struct ff_robust_list *entry, *last;

	unlink_entry();
	ff_child.robust = head;
	if (!head) {
		register_own();
		return true;
	}
	if (!is_there(head, sizeof(*head)))
		return false;
	entry = place_for_entry(head->futex_offset);
	last = entry ? before(head, &head->list) : NULL;
	if (!last || !is_writable(last))
		return false;
	entry->next = &head->list;
	last->next = entry;
	ff_child.entry = entry;
	sys(set_robust_list, head, sizeof(*head));
	return true;
}

void ff_robust_assure(void)
{
	if (ff_child.entry && !before(ff_child.robust, ff_child.entry))
		register_own();
}

void ff_robust_leave(void)
{
	unlink_entry();
	sys(set_robust_list, ff_child.robust, sizeof(struct ff_robust_head));
}
