/* See control.h. Raw calls and reads only: glibc's struct pthread is looked at
 * by what is in it, not by where a version of it has what. */
#include "libc/control.h"

#include <linux/futex.h>

#include "arch/arch.h"
#include "host/page.h"
#include "host/signals.h"
#include "host/sys.h"

int32_t *ff_control_tid(void)
{
	int32_t *word = (int32_t *)ff_thread_pointer(), *found = NULL;
	const int32_t tid = ff_gettid();
	size_t i;

	for (i = 0; i < FF_CONTROL_BYTES / sizeof(*word); i++) {
		if ((uintptr_t)&word[i] % FF_PAGE == 0 &&
		    !ff_may_read_word(&word[i]))
			break;
		if (word[i] != tid)
			continue;
		if (found)
			return NULL;
		found = &word[i];
	}
	return found;
}

uintptr_t *ff_control_robust(void)
{
	uintptr_t *head = NULL;
	size_t bytes = 0;

	if (sys(get_robust_list, 0, &head, &bytes) < 0 ||
	    bytes != sizeof(struct robust_list_head) ||
	    (uintptr_t)head - ff_thread_pointer() >= FF_CONTROL_BYTES - bytes ||
	    head[0] != (uintptr_t)head || head[-1] != (uintptr_t)head ||
	    head[2])
		return NULL;
	return head;
}
