#include "host/sandbox.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "host/hot.h"

atomic_bool ff_sandboxed FF_HOT;

/* Without a filter the kernel is only asked whether it knows them. */
bool ff_is_sandboxing(long nr, uintptr_t a, uintptr_t b, uintptr_t c)
{
	if (nr == SYS_prctl && a == PR_SET_SECCOMP)
		return b == SECCOMP_MODE_STRICT || c;
	if (nr == SYS_seccomp)
		return a == SECCOMP_SET_MODE_STRICT ||
		       (a == SECCOMP_SET_MODE_FILTER && c);
	return false;
}
