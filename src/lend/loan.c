/*
 * Loans are kept for the next vfork (host/shelf.h). Each lies in a mapping of
 * its own: guard page, stack of the waiting parent, guard page, the child's
 * alternate stack, the loan.
 */
#include "lend/loan.h"

#include <sys/mman.h>

#include "host/page.h"
#include "host/shelf.h"
#include "host/sys.h"

struct room {
	char guard[FF_PAGE];
	char stack[FF_LOAN_STACK_BYTES];
	char guard_of_altstack[FF_PAGE];
	char altstack[FF_LOAN_ALTSTACK_BYTES];
	struct ff_loan loan;
};

_Thread_local struct ff_loan *ff_loan
	__attribute__((tls_model("initial-exec")));

static struct ff_shelf kept; /* struct room */

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
	struct room *room = ff_shelf_take(&kept);

	if (!room)
		room = map_room();
	return room ? &room->loan : NULL;
}

void ff_loan_put(struct ff_loan *loan)
{
	struct room *room = room_of(loan);

	if (!ff_shelf_put(&kept, room))
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
