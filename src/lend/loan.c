/*
 * Loans are kept for the next vfork, as many as there were at a time, up to a
 * limit. Each lies in a mapping of its own: guard page, stack of the waiting
 * parent, guard page, the child's alternate stack, the loan.
 */
#include "lend/loan.h"

#include <sys/mman.h>

#include "host/page.h"
#include "host/sys.h"

#define KEPT 64

struct room {
	char guard[FF_PAGE];
	char stack[FF_LOAN_STACK_BYTES];
	char guard_of_altstack[FF_PAGE];
	char altstack[FF_LOAN_ALTSTACK_BYTES];
	struct ff_loan loan;
};

_Thread_local struct ff_loan *ff_loan
	__attribute__((tls_model("initial-exec")));

/* Each place is one word, exchanged atomically: threads, signal handlers and
 * the child of a fork take and put at any time. */
static _Atomic(struct room *) kept[KEPT];

static struct room *room_of(struct ff_loan *loan)
{
	return (struct room *)((char *)loan - offsetof(struct room, loan));
}

static struct room *map_room(void)
{
	struct room *room;
	long at = sys(mmap, NULL, sizeof(struct room), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE,
		      -1, 0);

	if (ff_is_error(at))
		return NULL;
	room = (struct room *)at;
	sys(mprotect, room->guard, FF_PAGE, PROT_NONE);
	sys(mprotect, room->guard_of_altstack, FF_PAGE, PROT_NONE);
	return room;
}

struct ff_loan *ff_loan_take(void)
{
	struct room *room;
	int i;

	for (i = 0; i < KEPT; i++) {
		if (!atomic_load_explicit(&kept[i], memory_order_relaxed))
			continue;
		room = atomic_exchange(&kept[i], NULL);
		if (room)
			return &room->loan;
	}
	room = map_room();
	return room ? &room->loan : NULL;
}

void ff_loan_put(struct ff_loan *loan)
{
	struct room *room = room_of(loan), *none;
	int i;

	for (i = 0; i < KEPT; i++) {
		none = NULL;
		if (!atomic_load_explicit(&kept[i], memory_order_relaxed) &&
		    atomic_compare_exchange_strong(&kept[i], &none, room))
			return;
	}
	sys(munmap, room, sizeof(*room));
}

void *ff_loan_stack(struct ff_loan *loan)
{
	return room_of(loan)->guard_of_altstack;
}

void *ff_loan_altstack(struct ff_loan *loan)
{
	return room_of(loan)->altstack;
}
