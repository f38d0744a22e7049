/* Names that have to do with what a child inherits. */
#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/next.h"
#include "lazy/advice.h"
#include "lazy/child.h"
#include "lazy/fork.h"
#include "lend/borrower.h"
#include "preload/preload.h"

FF_EXPORT int madvise(void *start, size_t bytes, int advice)
{
	struct ff_advice_window window;
	int rc;

	if (!ff_advice_concerns_fork(advice))
		return FF_NEXT(madvise)(start, bytes, advice);
	/* The gate and the note are the parent's, as the memory is. */
	ff_own_memory("advises what children inherit");
	ff_advice_begin(&window, start, bytes, advice);
	rc = FF_NEXT(madvise)(start, bytes, advice);
	ff_advice_end(&window);
	return rc;
}

/* The request has been the same since the device is there (Linux 6.1). */
#define NEW_USERFAULTFD 0xaa00UL

FF_EXPORT int ioctl(int fd, unsigned long request, ...)
{
	va_list more;
	void *arg;

	va_start(more, request);
	arg = va_arg(more, void *);
	va_end(more);
	if (request == NEW_USERFAULTFD && !ff_child.active) {
		ff_own_memory("makes a userfaultfd");
		ff_fork_never_lazily(FF_USERFAULTFD);
	}
	return FF_NEXT(ioctl)(fd, request, arg);
}

FF_EXPORT int close(int fd)
{
	if (ff_child.active)
		return ff_child_close(fd);
	return FF_NEXT(close)(fd);
}
