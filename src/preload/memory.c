/* Names that have to do with what a child inherits. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host/persona.h"
#include "host/signals.h"
#include "host/sys.h"
#include "lazy/child/child.h"
#include "lazy/parent/advice.h"
#include "lend/child/borrower.h"
#include "lend/parent/ground.h"
#include "preload/next.h"
#include "preload/preload.h"
#include "process/stance.h"
#include "ways/decide.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

FF_EXPORT int madvise(void *start, size_t bytes, int advice)
{
	struct ff_advice_window window;
	int rc;

	if (!ff_advice_concerns_fork(advice))
		return FF_NEXT(madvise)(start, bytes, advice);
	/* The gate and the note are the parent's, as the memory is. */
	ff_own_memory("advises what children inherit");
	ff_advice_begin(&window);
	ff_advice_note(&window, start, bytes, advice);
	rc = FF_NEXT(madvise)(start, bytes, advice);
	if (rc == 0)
		ff_advice_given(&window, start, bytes, advice);
	ff_advice_end(&window);
	return rc;
}

#define VECTOR_MAX 1024 /* UIO_MAXIOV */

/* The pointer may be any: where the kernel can't read it, nothing is advised. */
static bool range_at(const struct iovec *v, size_t i, struct iovec *ret_range)
{
	if (!ff_may_read_word(&v[i].iov_base) ||
	    !ff_may_read_word(&v[i].iov_len))
		return false;
	*ret_range = v[i];
	return true;
}

/* Whose memory it is only the kernel knows; of others' it takes no such advice,
 * and a note too many costs time. */
static void note_ranges(const struct ff_advice_window *window,
			const struct iovec *v, size_t count, int advice)
{
	struct iovec r;
	size_t i;

	for (i = 0; i < count && i < VECTOR_MAX && range_at(v, i, &r); i++)
		ff_advice_note(window, r.iov_base, r.iov_len, advice);
}

/* It was given to the first @bytes of what was named. */
static void ranges_given(const struct ff_advice_window *window,
			 const struct iovec *v, size_t count, size_t bytes,
			 int advice)
{
	struct iovec r;
	size_t i;

	for (i = 0; i < count && bytes > 0 && range_at(v, i, &r); i++) {
		if (r.iov_len > bytes)
			r.iov_len = bytes;
		ff_advice_given(window, r.iov_base, r.iov_len, advice);
		bytes -= r.iov_len;
	}
}

/* glibc before 2.36, and musl, have none. */
static ssize_t next_process_madvise(int pidfd, const struct iovec *v,
				    size_t count, int advice, unsigned flags)
{
	long rc;

	if (FF_NEXT(process_madvise))
		return FF_NEXT(process_madvise)(pidfd, v, count, advice, flags);
	rc = sys(process_madvise, pidfd, v, count, advice, flags);
	if (rc >= 0)
		return rc;
	errno = (int)-rc;
	return -1;
}

FF_EXPORT ssize_t process_madvise(int pidfd, const struct iovec *v,
				  size_t count, int advice, unsigned flags)
{
	struct ff_advice_window window;
	ssize_t rc;

	if (!ff_advice_concerns_fork(advice))
		return next_process_madvise(pidfd, v, count, advice, flags);
	ff_own_memory("advises what children inherit");
	ff_advice_begin(&window);
	note_ranges(&window, v, count, advice);
	rc = next_process_madvise(pidfd, v, count, advice, flags);
	if (rc > 0)
		ranges_given(&window, v, count, (size_t)rc, advice);
	ff_advice_end(&window);
	return rc;
}

/* libc has it since 2.43. */
int mseal(void *start, size_t bytes, unsigned long flags);

FF_EXPORT int mseal(void *start, size_t bytes, unsigned long flags)
{
	long rc;

	/* What is absent in a child would not be. */
	if (!ff_mediated)
		ff_fork_real_from_now(FF_SEALED);
	if (FF_NEXT(mseal))
		return FF_NEXT(mseal)(start, bytes, flags);
	rc = sys(mseal, start, bytes, flags);
	if (rc >= 0)
		return 0;
	errno = (int)-rc;
	return -1;
}

/* A child's memory is made readable page by page: also what was not to be
 * executed, as it had been readable before. */
void ff_persona_changes(unsigned long persona)
{
	if (ff_mediated || !ff_persona_executes(persona))
		return;
	ff_own_memory("changes what can be executed");
	ff_fork_real_from_now(FF_EXECUTES);
}

FF_EXPORT int personality(unsigned long persona)
{
	ff_persona_changes(persona);
	return FF_NEXT(personality)(persona);
}

FF_EXPORT int munmap(void *start, size_t bytes)
{
	struct ff_advice_window window;
	int rc;

	if (!ff_advice_is_noted(start, bytes))
		return FF_NEXT(munmap)(start, bytes);
	ff_own_memory("unmaps what children do not inherit");
	ff_advice_begin(&window);
	rc = FF_NEXT(munmap)(start, bytes);
	if (rc == 0)
		ff_advice_gone(&window, start, bytes);
	ff_advice_end(&window);
	return rc;
}

/* What stays behind looks to a child as if nothing had been moved. */
static bool move_matters(const void *start, size_t bytes, const void *to,
			 size_t to_bytes, int flags)
{
	return ff_advice_is_noted(start, bytes) ||
	       ((flags & MREMAP_FIXED) && ff_advice_is_noted(to, to_bytes)) ||
	       ((flags & MREMAP_DONTUNMAP) && ff_advice_any_dontfork());
}

FF_EXPORT void *mremap(void *start, size_t bytes, size_t new_bytes, int flags,
		       ...)
{
	struct ff_advice_window window;
	void *to;
	va_list more;

	va_start(more, flags);
	to = va_arg(more, void *);
	va_end(more);
	/* Else its call would be raised a signal for that is blocked. */
	ff_leave_fence("moves memory");
	if (!move_matters(start, bytes, to, new_bytes, flags)) {
		ff_advice_begin_move(&window);
		to = FF_NEXT(mremap)(start, bytes, new_bytes, flags, to);
		ff_advice_end_move(&window);
		return to;
	}
	ff_own_memory("moves what children do not inherit");
	ff_advice_begin(&window);
	to = FF_NEXT(mremap)(start, bytes, new_bytes, flags, to);
	if (to != MAP_FAILED) {
		ff_advice_copied(&window, start, bytes, to, new_bytes);
		if (to != start && !(flags & MREMAP_DONTUNMAP))
			ff_advice_gone(&window, start, bytes);
	}
	ff_advice_end(&window);
	return to;
}

/* The pages themselves are in the pipe from now on, and a fork's child writes
 * to copies. One in borrowed memory would write to what is in the pipe. */
FF_EXPORT ssize_t vmsplice(int fd, const struct iovec *v, size_t count,
			   unsigned flags)
{
	if (!ff_mediated) {
		ff_leave_fence("gives pages to a pipe");
		ff_lend_no_forks();
	}
	return FF_NEXT(vmsplice)(fd, v, count, flags);
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
	if (request == NEW_USERFAULTFD && !ff_mediated) {
		ff_own_memory("makes a userfaultfd");
		ff_fork_never_lazily(FF_USERFAULTFD);
	}
	return FF_NEXT(ioctl)(fd, request, arg);
}

FF_EXPORT int close(int fd)
{
	if (ff_mediated && !ff_next_is_anothers(FF_NEXT_close))
		return ff_child_close(fd);
	ff_tidy();
	return FF_NEXT(close)(fd);
}
