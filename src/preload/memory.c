/* Names that have to do with what a child inherits. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/next.h"
#include "lazy/advice.h"
#include "lazy/child.h"
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

FF_EXPORT int close(int fd)
{
	if (ff_child.active)
		return ff_child_close(fd);
	return FF_NEXT(close)(fd);
}
