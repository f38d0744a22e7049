/*
 * Every system call of a lazy child, from wherever it is made, until exec.
 * Runs in the child, in the SIGSYS handler.
 *
 * Hazards
 *  H-M1 The kernel does not fault in what is absent, it answers EFAULT or
 *       stops half-way: what the arguments name is fetched first, by table.
 *       A call that says EFAULT all the same is not repeated here: the child
 *       leaves, and where it goes all memory is there.
 *  H-M2 No mask of the program's reaches the kernel before exec.
 *  H-M3 The pager's descriptor does not exist for the program: not to be
 *       closed, replaced, copied or counted.
 *  H-M5 A read that says EFAULT may have had its effect: a datagram or a count
 *       is gone. A new child has it again. A committed one is no new child, and
 *       would wait for it for ever: there the answer stands. And a write may
 *       have raised a signal (SIGXFSZ), which the program takes right then.
 *  H-M7 All signals are blocked here, but not by the program: one that came is
 *       taken before the next call, which may tell that it was. One that is
 *       ignored is dropped there, as the call may be what handles or blocks it
 *       from then on.
 *  H-M8 Shared memory, which a child on trial may not write, ends a transfer
 *       that has begun before it: one that is cut short says no EFAULT. So it
 *       does not begin.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/uio.h>

#include "arch/arch.h"
#include "host/sys.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"
#include "lazy/child/own.h"
#include "lazy/child/pager.h"
#include "lazy/child/watched.h"
#include "lazy/trap.h"

#define STRUCT_BYTES 4096
#define VECTOR_MAX 1024 /* UIO_MAXIOV */

long ff_make(const ucontext_t *uc, long nr)
{
	return ff_sys(nr, ff_arg(uc, 0), ff_arg(uc, 1), ff_arg(uc, 2),
		      ff_arg(uc, 3), ff_arg(uc, 4), ff_arg(uc, 5));
}

void ff_answer(ucontext_t *uc, long result)
{
	ff_set_result(uc, result);
}

/* By hand: in a new child libc's memchr is one more page to fault in. */
static bool ends_before(uintptr_t at, uintptr_t limit)
{
	for (; at < limit; at++)
		if (!*(const char *)at)
			return true;
	return false;
}

/* Fetch up to and with the terminating NUL: 1. The cluster that holds @at is
 * readable once fetched if it is memory at all; whether it is, the kernel
 * shall say: a page that is not ours is not touched, and it is 0. */
static int fetch_string(uintptr_t at)
{
	uintptr_t page;
	int rc;

	if (!at)
		return 0;
	for (;;) {
		rc = ff_fetch(at, 1);
		if (rc < 0)
			return rc;
		if (!ff_is_readable(at, 1))
			return 0;
		page = (at | (FF_PAGE - 1)) + 1;
		if (ends_before(at, page))
			return 1;
		at = page;
	}
}

static int fetch_strings(uintptr_t at)
{
	uintptr_t s;
	int rc;

	if (!at)
		return 0;
	for (;; at += sizeof(char *)) {
		rc = ff_fetch(at, sizeof(char *));
		if (rc < 0 || !ff_is_readable(at, sizeof(char *)))
			return rc;
		s = *(const uintptr_t *)at;
		if (!s)
			return 0;
		rc = fetch_string(s);
		if (rc < 0)
			return rc;
	}
}

static int fetch_vector(uintptr_t at, size_t count)
{
	const struct iovec *v = (const struct iovec *)at;
	size_t i;
	int rc;

	if (count > VECTOR_MAX)
		return 0;
	rc = ff_fetch(at, count * sizeof(*v));
	for (i = 0; rc == 0 && i < count; i++) {
		if (!ff_is_readable((uintptr_t)&v[i], sizeof(*v)))
			return 0;
		rc = ff_fetch((uintptr_t)v[i].iov_base, v[i].iov_len);
	}
	return rc;
}

static int serve_one(const ucontext_t *uc, char kind, int i)
{
	uintptr_t at = (uintptr_t)ff_arg(uc, i);

	switch (kind) {
	case 's':
		return fetch_string(at);
	case 'r':
	case 'p':
	case '4':
	case '8':
	case 'd':
	case 't':
	case 'T':
		return ff_fetch(at, at ? STRUCT_BYTES : 0);
	case 'b':
	case 'c':
		return ff_fetch(at, (size_t)ff_arg(uc, i + 1));
	case 'w':
		return ff_fetch(at, (size_t)(uint32_t)ff_arg(uc, i - 1) * 4);
	case 'v':
	case 'g':
		return fetch_vector(at, (size_t)ff_arg(uc, i + 1));
	case 'a':
		return fetch_strings(at);
	default:
		return 0;
	}
}

/* H-M8. Vectors are fetched by now. */
static bool reaches_shared(const ucontext_t *uc, char kind, int i)
{
	const struct iovec *v = (const struct iovec *)ff_arg(uc, i);
	size_t n, count = (size_t)ff_arg(uc, i + 1);

	if (ff_child.committed || ff_child.areas->shared_count == 0)
		return false;
	if (kind == 'b')
		return ff_meets_watched((uintptr_t)v, count);
	if (kind != 'v' || count > VECTOR_MAX)
		return false;
	for (n = 0; n < count; n++)
		if (!ff_is_readable((uintptr_t)&v[n], sizeof(*v)))
			return false;
		else if (ff_meets_watched((uintptr_t)v[n].iov_base,
					  v[n].iov_len))
			return true;
	return false;
}

bool ff_serve(ucontext_t *uc, long nr, const char *signature)
{
	int i, rc;

	for (i = 0; i < FF_CALL_ARGUMENTS && signature[i]; i++) {
		if (signature[i] == 'f') {
			if (!ff_is_our_fd(ff_arg(uc, i)))
				continue;
			/* a directory does not matter to an absolute path */
			if (signature[i + 1] == 's')
				ff_child_leave(uc, FF_REASON_DESCRIPTOR, nr);
			else
				ff_answer(uc, -EBADF);
			return false;
		}
		rc = serve_one(uc, signature[i], i);
		if (rc > 0 && signature[i] == 's' &&
		    ff_is_name_of_ours((const char *)ff_arg(uc, i))) {
			ff_child_leave(uc, FF_REASON_DESCRIPTOR, nr);
			return false;
		}
		if (rc < 0) {
			ff_child_leave(uc, FF_REASON_MEMORY, nr);
			return false;
		}
		if (reaches_shared(uc, signature[i], i)) {
			ff_child_leave(uc, FF_REASON_SHARED, nr);
			return false;
		}
	}
	return true;
}

void ff_pass(ucontext_t *uc, long nr, const char *signature)
{
	long result;

	if (!ff_serve(uc, nr, signature))
		return;
	result = ff_make(uc, nr);
	if (result == -EFAULT)
		ff_child_leave(uc, FF_REASON_CALL, nr);
	else
		ff_answer(uc, result);
}

void ff_transfer(ucontext_t *uc, long nr, const char *signature)
{
	if (!ff_child.committed) {
		ff_pass(uc, nr, signature);
		return;
	}
	if (!ff_serve(uc, nr, signature))
		return;
	ff_answer(uc, ff_make(uc, nr));
	if (ff_signal_waits(ff_child.mask))
		ff_child_leave(uc, FF_REASON_SIGNAL, -1);
}

void ff_output(ucontext_t *uc, long nr, const char *signature)
{
	if (ff_child.committed)
		ff_transfer(uc, nr, signature);
	else
		ff_child_leave(uc, FF_REASON_OUTPUT, nr);
}

/* H-I2; once: the latch is gone then. */
static bool is_latched(void)
{
	if (!ff_child.latched)
		ff_child.latched = ff_slot_latch(ff_child.slot);
	return ff_child.latched;
}

void ff_child_call(ucontext_t *uc, long nr, bool as_program)
{
	const struct ff_call *call = ff_call(nr);

	if (ff_exec_has_failed(uc))
		return;
	ff_exec_left(uc);
	atomic_fetch_add_explicit(&ff_child.shared->calls, 1,
				  memory_order_relaxed);
	ff_child.names_files |= ff_names_a_file(call);
	if (atomic_load(&ff_child.shared->state) == FF_CANCELLED)
		ff_end();
	if (ff_child.committed && atomic_load(&ff_child.shared->leave))
		ff_child_leave(uc, FF_REASON_BUDGET, nr);
	else if (ff_signal_comes(ff_child.mask) && nr != SYS_rt_sigreturn)
		ff_child_leave(uc, FF_REASON_SIGNAL, nr);
	else if (!as_program || ff_has_odd_flags(uc, nr) ||
		 (ff_may_change_rights(uc, nr) && !is_latched()))
		ff_child_leave(uc, FF_REASON_CALL, nr);
	else if (call->lazy == FF_LAZY_FREE)
		ff_pass(uc, nr, call->signature);
	else if (call->lazy == FF_LAZY_OUTPUT)
		ff_output(uc, nr, call->signature);
	else
		ff_look(call->lazy, uc, nr);
}

/* A stranger's signal is delivered again to the ordinary process. What the
 * parent sends is known by the state (H-C4). */
void ff_child_foreign(ucontext_t *uc, siginfo_t *info)
{
	siginfo_t copy = *info;

	if (info->si_signo == SIGSYS && ff_child_takes_asking(info)) {
		if (atomic_load(&ff_child.shared->leave))
			ff_child_leave(uc, FF_REASON_BUDGET, -1);
		else if (ff_signal_comes(ff_child.mask)) /* H-D14 */
			ff_child_leave(uc, FF_REASON_SIGNAL, -1);
		return;
	}
	ff_child_leave(uc, FF_REASON_SIGNAL, -1);
	sys(rt_tgsigqueueinfo, ff_getpid(), ff_gettid(), copy.si_signo, &copy);
}
