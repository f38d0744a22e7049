/*
 * The stacks that children run on. Mapping one costs more than all the rest of
 * a spawn, so they are kept (host/shelf.h).
 *
 * Hazards:
 * H-S8 Threads, signal handlers and a fork's child take and put at any time,
 *      which the shelf bears. A stack that another thread had taken at the
 *      time of a fork is lost to the child: some pages, once.
 */
#include "spawn/parent/stack.h"

#include <stddef.h>
#include <sys/mman.h>

#include "host/page.h"
#include "host/shelf.h"
#include "host/sys.h"
#include "spawn/child/child.h"

static struct ff_shelf kept;

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
	void *top = ff_shelf_take(&kept);

	if (!top)
		return map_stack(ret_top);
	*ret_top = top;
	return 0;
}

void ff_stack_put(void *top)
{
	if (!ff_shelf_put(&kept, top))
		sys(munmap, (char *)top - FF_CHILD_STACK_BYTES - FF_PAGE,
		    FF_PAGE + FF_CHILD_STACK_BYTES);
}
