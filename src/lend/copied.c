/*
 * The pagemap says what a page is. A process that gave up its rights without
 * exec can't open its own; to it the kernel tells the same by a futex. One that
 * is shared is named by what is mapped at the address: by the file, or, where
 * the page is a copy, by the memory. But a copy that may only be read is
 * refused (EFAULT), as nobody could ever change the word; and what is meant by
 * that is what the caller's own register allows.
 *
 * Hazards
 *  H-K12 Other pages are refused as well: what is behind the end of a file, and
 *       what devices map, where no file is to be found behind the page. So the
 *       word must be one that can be read; and only what the dynamic linker has
 *       mapped is asked for.
 *  H-K13 A question must not wake or move who waits there, in this process or
 *       in others that have the file: it is asked to move nobody.
 */
#include "lend/copied.h"

#include <errno.h>
#include <linux/futex.h>

#include "arch/arch.h"
#include "host/fault.h"
#include "host/held.h"
#include "host/page.h"
#include "host/sys.h"
#include "libc/object.h"
#include "process/filter.h"

/* Of an entry of /proc/self/pagemap. */
#define OF_A_FILE ((uint64_t)1 << 61)

/* True: it was asked. It is there, or swapped out, and no file's. */
static bool ask_pagemap(uintptr_t page, bool *ret)
{
	struct ff_held file;
	uint64_t entry = 0;

	if (ff_fault(FF_FAULT_NO_MEM) ||
	    ff_hold(&file, "/proc/self/pagemap") < 0)
		return false;
	if (sys(pread64, file.fd, &entry, sizeof(entry),
		page / FF_PAGE * sizeof(entry)) != (long)sizeof(entry))
		entry = 0;
	if (ff_release(&file) < 0)
		entry = 0;
	*ret = (entry & FF_PAGE_IS_THERE) && !(entry & OF_A_FILE);
	return true;
}

/* H-K13: of those that wait for the word none is woken, and none moved. */
static long move_nobody(uintptr_t word, int flags)
{
	return sys(futex, word, FUTEX_CMP_REQUEUE | flags, 0, 0, word, 0);
}

/* H-K12 */
static bool ask_futex(uintptr_t page)
{
	const uint32_t keys = ff_keys();
	struct ff_object object;
	long rc;

	if (!ff_filter_allows(FF_ASK_futex_requeue) ||
	    !ff_object_of(page, &object))
		return false;
	ff_set_keys(keys | FF_KEY_NO_WRITE(0));
	rc = move_nobody(page, 0);
	ff_set_keys(keys);
	return rc == -EFAULT &&
	       move_nobody(page, FUTEX_PRIVATE_FLAG) != -EFAULT;
}

bool ff_is_copied(uintptr_t page)
{
	bool copied;

	return ask_pagemap(page, &copied) ? copied : ask_futex(page);
}
