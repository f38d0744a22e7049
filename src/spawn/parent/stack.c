/*
 * The stacks that children run on. Mapping one costs more than all the rest
 * of a spawn, so they are kept: as many as threads spawned at once, up to a
 * limit.
 *
 * Hazards:
 * H-S8 Threads, signal handlers and a fork's child take and put at any time:
 *      each place is one word, exchanged atomically. A stack that another
 *      thread had taken at the time of a fork is lost to the child: some
 *      pages, once.
 */
#include "spawn/parent/stack.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "host/page.h"
#include "host/sys.h"
#include "spawn/child/child.h"

#define KEPT 64

static _Atomic(void *) kept[KEPT];

static long map_stack(void **ret_top)
{
	long at = sys(mmap, NULL, FF_PAGE + FF_CHILD_STACK_BYTES,
		      PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (ff_is_error(at))
		return at;
	sys(mprotect, at, FF_PAGE, PROT_NONE);
	*ret_top = (char *)at + FF_PAGE + FF_CHILD_STACK_BYTES;
	return 0;
}

long ff_stack_take(void **ret_top)
{
	void *top;
	int i;

	for (i = 0; i < KEPT; i++) {
		if (!atomic_load_explicit(&kept[i], memory_order_relaxed))
			continue;
		top = atomic_exchange(&kept[i], NULL);
		if (top) {
			*ret_top = top;
			return 0;
		}
	}
	return map_stack(ret_top);
}

void ff_stack_put(void *top)
{
	void *none;
	int i;

	for (i = 0; i < KEPT; i++) {
		none = NULL;
		if (!atomic_load_explicit(&kept[i], memory_order_relaxed) &&
		    atomic_compare_exchange_strong(&kept[i], &none, top))
			return;
	}
	sys(munmap, (char *)top - FF_CHILD_STACK_BYTES - FF_PAGE,
	    FF_PAGE + FF_CHILD_STACK_BYTES);
}
