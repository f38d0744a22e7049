/*
 * The names that fork. They forward; ff_fork() thinks. A call that turns out
 * lazy returns in the child from the same libc call, mediated until exec.
 */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "arch/arch.h"
#include "arch/hot.h"
#include "calls/calls.h"
#include "lazy/child/child.h"
#include "lend/child/borrower.h"
#include "libc/place.h"
#include "libc/threads.h"
#include "preload/next.h"
#include "preload/preload.h"
#include "process/stance.h"
#include "tell/options.h"
#include "ways/decide.h"
#include "ways/ending.h"
#include "ways/fork.h"
#include "ways/intent.h"
#include "ways/lend.h"
#include "ways/pass.h"

#define CALLER __builtin_return_address(0)

pid_t __fork(void);
pid_t __libc_fork(void);
pid_t _Fork(void);
pid_t ff_fork_from(const struct ff_caller *caller);
int __register_atfork(void (*before)(void), void (*parent)(void),
		      void (*child)(void), void *object);

typedef pid_t (*fork_function)(void);

/* What every forking name does first. */
static void prepare(void)
{
	ff_tidy();
	ff_own_memory("forks");
	if (!ff_mediated)
		ff_next_find_all();
}

static long call_fork(void *next)
{
	return ((fork_function)next)();
}

/* An alias this libc does not have is its fork. */
static void *next_or_fork(void *next)
{
	return next ? next : (void *)FF_NEXT(fork);
}

/* fork(), from preload/x86_64/vfork.S. */
pid_t ff_fork_again(void);
pid_t ff_fork_from(const struct ff_caller *caller)
{
	struct ff_libc libc;

	prepare();
	libc.again = (void *)ff_fork_again;
	libc.fork = FF_NEXT(fork);
	libc.bare_fork = FF_NEXT(_Fork);
	return (pid_t)ff_fork_or_lend(caller, &libc, call_fork,
				      (void *)FF_NEXT(fork));
}

extern void *__dso_handle __attribute__((visibility("hidden")));

/* What another object has in its place may run no handlers. */
static bool forks_are_libcs(void)
{
	const void *forks[] = { (void *)FF_NEXT(fork), (void *)FF_NEXT(__fork),
				(void *)FF_NEXT(__libc_fork),
				(void *)FF_NEXT(forkpty),
				(void *)FF_NEXT(daemon) };
	unsigned i;

	for (i = 0; i < sizeof(forks) / sizeof(forks[0]); i++)
		if (forks[i] && !ff_is_libcs(forks[i]))
			return false;
	return true;
}

/* libc has done its own by then. */
static void begin_child(void)
{
	if (ff_mediated)
		ff_child_is_out();
}

void ff_register_own_handler(void)
{
	static _Atomic bool registered;

	ff_fork_setup();
	if (!ff_options.on || registered)
		return;
	registered = true;
	if (FF_NEXT(__register_atfork) &&
	    FF_NEXT(__register_atfork)(ff_intent_meet, ff_pass_part,
				       begin_child, &__dso_handle) == 0)
		ff_fork_is_met(forks_are_libcs());
	/* Another object that has fork sees those that are lent, too. */
	if (ff_next_is_anothers(FF_NEXT_fork))
		ff_fork_has_handlers();
}

/* libc runs prepare handlers last to first, and nothing of the program's is to
 * run behind ours. */
FF_EXPORT int __register_atfork(void (*before)(void), void (*parent)(void),
				void (*child)(void), void *object)
{
	ff_register_own_handler();
	ff_fork_has_handlers();
	return FF_NEXT(__register_atfork) ?
		       FF_NEXT(__register_atfork)(before, parent, child,
						  object) :
		       ENOSYS;
}

FF_EXPORT pid_t __fork(void)
{
	prepare();
	return (pid_t)ff_fork(call_fork, next_or_fork((void *)FF_NEXT(__fork)),
			      CALLER, "__fork");
}

FF_EXPORT pid_t __libc_fork(void)
{
	prepare();
	return (pid_t)ff_fork(call_fork,
			      next_or_fork((void *)FF_NEXT(__libc_fork)),
			      CALLER, "__libc_fork");
}

FF_EXPORT pid_t _Fork(void)
{
	prepare();
	if (!FF_NEXT(_Fork))
		return (pid_t)ff_fork(call_fork, (void *)FF_NEXT(fork), CALLER,
				      "_Fork");
	return (pid_t)ff_fork_bare(call_fork, (void *)FF_NEXT(_Fork), CALLER,
				   "_Fork");
}

struct forkpty_args {
	int *master;
	char *name;
	const struct termios *termios;
	const struct winsize *size;
};

static long call_forkpty(void *arg)
{
	const struct forkpty_args *a = arg;

	return FF_NEXT(forkpty)(a->master, a->name, a->termios, a->size);
}

FF_EXPORT int forkpty(int *master, char *name, const struct termios *termios,
		      const struct winsize *size)
{
	struct forkpty_args a = { master, name, termios, size };

	prepare();
	if (!FF_NEXT(forkpty)) {
		errno = ENOSYS;
		return -1;
	}
	return (int)ff_fork(call_forkpty, &a, CALLER, "forkpty");
}

static long call_daemon(void *arg)
{
	const int *a = arg;

	return FF_NEXT(daemon)(a[0], a[1]);
}

/* The parent ends inside libc's daemon(), without a call that we see. */
FF_EXPORT int daemon(int nochdir, int noclose)
{
	int a[2] = { nochdir, noclose };

	prepare();
	return (int)ff_fork_real_and_end(call_daemon, a, CALLER, "daemon");
}

struct raw_args {
	long nr, arg[6];
};

static long call_syscall(void *arg)
{
	const struct raw_args *r = arg;

	return FF_NEXT(syscall)(r->nr, r->arg[0], r->arg[1], r->arg[2],
				r->arg[3], r->arg[4], r->arg[5]);
}

/* Does a clone with these flags copy the address space, and nothing more
 * than fork does? */
static int is_fork_like(unsigned long flags)
{
	return (flags & ~((unsigned long)CSIGNAL | CLONE_CHILD_SETTID |
			  CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID)) == 0;
}

/* clone3's flags come first in what @at points at, if it does. */
static bool first_word(long at, unsigned long *ret_word)
{
	if (!ff_may_read_word((const void *)at))
		return false;
	memcpy(ret_word, (const void *)at, sizeof(*ret_word));
	return true;
}

long (*ff_next_syscall)(long nr, ...) FF_HOT;

static long exec_by_syscall(struct raw_args *r)
{
	bool held = ff_exec_begins();
	long rc = call_syscall(r);

	if (held)
		ff_exec_failed();
	return rc;
}

static long altstack_by_syscall(struct raw_args *r)
{
	long rc = call_syscall(r);

	if (rc == 0 && r->arg[1])
		ff_borrower_tells_altstack((stack_t *)r->arg[1]);
	return rc;
}

static void note_clone(unsigned long flags)
{
	if (flags & CLONE_VM)
		ff_fork_memory_is_shared();
	ff_threads_note_clone(flags);
}

/* Where syscall() jumps for fork, clone and what changes them, or before the
 * next definition is known: preload/x86_64/syscall.S. */
long ff_syscall_look(long nr, long a, long b, long c, long d, long e, long f)
{
	struct raw_args r = { nr, { a, b, c, d, e, f } };
	unsigned long flags = 0;
	long rc;

	switch ((enum ff_in_vfork)ff_call(nr)->in_vfork) {
	case FF_VFORK_ADVICE:
		if (nr == SYS_process_madvise)
			return process_madvise((int)a, (void *)b, (size_t)c,
					       (int)d, (unsigned)e);
		return madvise((void *)a, (size_t)b, (int)c);
	case FF_VFORK_UNMAPS:
		return munmap((void *)a, (size_t)b);
	case FF_VFORK_MOVES:
		return (long)mremap((void *)a, (size_t)b, (size_t)c, (int)d,
				    (void *)e);
	case FF_VFORK_GIVES:
		return vmsplice((int)a, (const struct iovec *)b, (size_t)c,
				(unsigned)d);
	case FF_VFORK_EXECS:
		return exec_by_syscall(&r);
	case FF_VFORK_STATE:
		return nr == SYS_rt_sigaction ? ff_sigaction_raw(nr, r.arg) :
						altstack_by_syscall(&r);
	case FF_VFORK_SENDS:
		return ff_send_raw(nr, r.arg);
	case FF_VFORK_CHILDREN:
		if (ff_wait_raw(nr, r.arg, &rc))
			return rc;
		break;
	default:
		break;
	}
	if (ff_call(nr)->in_vfork != FF_VFORK_FORKS) {
		ff_leave_call(nr, r.arg);
		return call_syscall(&r);
	}
	prepare();
	if (nr == SYS_clone)
		flags = (unsigned long)a;
	else if (nr == SYS_clone3 && !first_word(a, &flags))
		return call_syscall(&r);
	note_clone(flags);
	if (is_fork_like(flags))
		return ff_fork_bare(call_syscall, &r, CALLER, "syscall");
	if (!(flags & CLONE_VM))
		return ff_fork_real_bare(call_syscall, &r, CALLER, "syscall");
	return call_syscall(&r);
}

struct clone_args_libc {
	int (*fn)(void *);
	void *stack;
	int flags;
	void *arg;
	pid_t *parent_tid;
	void *tls;
	pid_t *child_tid;
};

static long call_clone(void *arg)
{
	const struct clone_args_libc *a = arg;

	return FF_NEXT(clone)(a->fn, a->stack, a->flags, a->arg, a->parent_tid,
			      a->tls, a->child_tid);
}

FF_EXPORT int clone(int (*fn)(void *), void *stack, int flags, void *arg, ...)
{
	struct clone_args_libc a = { fn, stack, flags, arg, NULL, NULL, NULL };
	va_list more;

	prepare();
	va_start(more, arg);
	if (flags & (CLONE_PARENT_SETTID | CLONE_SETTLS | CLONE_PIDFD |
		     CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))
		a.parent_tid = va_arg(more, pid_t *);
	if (flags & (CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))
		a.tls = va_arg(more, void *);
	if (flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))
		a.child_tid = va_arg(more, pid_t *);
	va_end(more);
	note_clone((unsigned long)flags);
	if (is_fork_like((unsigned long)flags))
		return (int)ff_fork_bare(call_clone, &a, CALLER, "clone");
	if (!(flags & CLONE_VM))
		return (int)ff_fork_real_bare(call_clone, &a, CALLER, "clone");
	return (int)call_clone(&a);
}
