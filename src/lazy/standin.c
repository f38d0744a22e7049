/*
 * Two sides. The parent makes the process and reaps it. The process itself
 * runs on a stack of its own, makes raw calls only, and not a line of the
 * program's: all signals are blocked, it has no descriptors, no dispatch, no
 * fork handlers run.
 *
 * Hazards
 *  H-N1 Nobody may see it. Its exit signal is 0, so that no ordinary wait
 *       finds it and its end sends nothing; it leaves its parent's session and
 *       group; it drops what a descriptor, a directory or shared memory keeps
 *       in use, before its parent goes on. Calls with __WALL look for it in
 *       preload/wait.c.
 *  H-N2 It is made with the descriptors of its parent shared, and unshares
 *       them, so that a file is never open for a moment longer than in its
 *       parent: a lock on it would be, too.
 *  H-N3 It ends when the child needs nothing more: it has all its memory, or
 *       its robust word is marked (exec, death), or it is a zombie. Whatever
 *       it waits for, it looks at these now and then.
 *  H-N4 What the child writes into the image is no more than a wish: an
 *       address and a length that is cut to the window.
 *  H-N5 To the gate it is a real fork: no marks may stand when it is made.
 */
#include "lazy/standin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "arch/arch.h"
#include "host/fault.h"
#include "host/hot.h"
#include "host/signals.h"
#include "host/sys.h"
#include "lazy/gate.h"
#include "lazy/handed.h"
#include "tell/line.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif

#define STACK_BYTES ((size_t)64 << 10)
#define STANDINS_MAX 64

static const struct timespec a_while = { 0, 100L * 1000 * 1000 };

/* Of this process, not yet reaped; 0: free; negative: being asked for. */
static _Atomic pid_t standins[STANDINS_MAX];
static _Atomic pid_t served[STANDINS_MAX]; /* the child of each */
static _Atomic unsigned count FF_HOT;

struct standin {
	struct ff_slot *image; /* the child's, where the parent has it */
	int child;	       /* a pidfd */
	pid_t pid;	       /* of it */
	bool tells;	       /* the parent, of an end that sends nothing */
	int mem, pagemap;
};

static _Noreturn void end(void)
{
	for (;;)
		sys(exit_group, 0);
}

static void own_robust_word(struct ff_shared *sh)
{
	sh->standin_head.list.next = &sh->standin_entry;
	sh->standin_entry.next = &sh->standin_head.list;
	sh->standin_head.futex_offset =
		(long)offsetof(struct ff_shared, standin) -
		(long)offsetof(struct ff_shared, standin_entry);
	sh->standin_head.pending = NULL;
	sys(set_robust_list, &sh->standin_head, sizeof(sh->standin_head));
	atomic_store(&sh->standin, (uint32_t)ff_gettid() | FUTEX_WAITERS);
}

/* H-N1, H-N2 */
static void drop_all(struct standin *s)
{
	const struct ff_areas *areas = &s->image->areas;
	unsigned i, shared = *(volatile const unsigned *)&areas->shared_count;

	if (sys(close_range, s->child + 1, ~0U, CLOSE_RANGE_UNSHARE) < 0 ||
	    (s->child > 0 && sys(close_range, 0, s->child - 1, 0) < 0))
		end();
	sys(setsid);
	sys(chdir, "/");
	for (i = 0; i < shared && i < FF_SHARED_MAX; i++)
		sys(munmap, areas->shared[i].start,
		    areas->shared[i].end - areas->shared[i].start);
}

static long read_memory(const struct standin *s, uintptr_t at, size_t bytes)
{
	struct iovec to = { s->image->window, bytes };
	struct iovec from = { (void *)at, bytes };

	if (s->mem >= 0)
		return sys(pread64, s->mem, to.iov_base, bytes, at);
	return sys(process_vm_readv, ff_getpid(), &to, 1, &from, 1, 0);
}

static void answer(const struct standin *s, struct ff_shared *sh,
		   uint32_t number)
{
	size_t bytes = atomic_load(&sh->bytes); /* H-N4 */
	uintptr_t at = atomic_load(&sh->at);

	if (bytes > FF_WINDOW_BYTES)
		bytes = FF_WINDOW_BYTES;
	if (atomic_load(&sh->question) == FF_WANT_PAGEMAP)
		sh->answer = sys(pread64, s->pagemap, s->image->window, bytes,
				 at / FF_PAGE * sizeof(uint64_t));
	else
		sh->answer = read_memory(s, at, bytes);
	atomic_store(&sh->answered, number);
	sys(futex, &sh->answered, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/*
 * H-N6 A child on trial sends nothing when it ends before the kernel has
 *      started its program. Who stands in for its parent then does: it looks at
 *      what the zombie would have sent, the 38th word of its status.
 */
static bool has_no_exit_signal(pid_t pid)
{
	char text[1024];
	struct ff_line path = ff_line_start(text, sizeof(text));
	long fd, n, i, words = 2;

	ff_line_str(&path, "/proc/");
	ff_line_unsigned(&path, (uint64_t)pid, 10);
	ff_line_str(&path, "/stat");
	text[path.used] = 0;
	fd = sys(openat, AT_FDCWD, text, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false; /* reaped: it was heard of */
	n = sys(read, fd, text, sizeof(text) - 1);
	sys(close, fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	for (i = n; i > 0 && text[i - 1] != ')'; i--)
		;
	for (; i < n && words < 38; i++)
		words += text[i] == ' ';
	return words == 38 && text[i] == '0';
}

static long parent(void)
{
	return sys(getppid);
}

/* H-N3 */
static bool needs_nothing(const struct standin *s, struct ff_shared *sh)
{
	struct pollfd p = { .fd = s->child, .events = POLLIN };
	const struct timespec now = { 0, 0 };

	if (atomic_load(&sh->dismissed))
		return true;
	if (sys(ppoll, &p, 1, &now, NULL, 0) == 1) {
		if (s->tells && has_no_exit_signal(s->pid))
			sys(kill, parent(), SIGCHLD);
		return true;
	}
	if (s->tells) /* it may be dying, and no zombie yet */
		return (atomic_load(&sh->owner) & FUTEX_OWNER_DIED) &&
		       !has_no_exit_signal(s->pid);
	return (atomic_load(&sh->owner) & FUTEX_OWNER_DIED) ||
	       atomic_load(&sh->state) == FF_RELEASED;
}

static void standin_main(void *arg)
{
	struct standin *s = arg;
	struct ff_shared *sh = &s->image->of_child;
	uint32_t number;

	drop_all(s);
	own_robust_word(sh);
	s->mem = (int)sys(openat, AT_FDCWD, "/proc/self/mem",
			  O_RDONLY | O_CLOEXEC, 0);
	s->pagemap = (int)sys(openat, AT_FDCWD, "/proc/self/pagemap",
			      O_RDONLY | O_CLOEXEC, 0);
	atomic_store(&sh->ready, 1);
	sys(futex, &sh->ready, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	for (;;) {
		number = atomic_load(&sh->asked);
		if (number != atomic_load(&sh->answered)) {
			answer(s, sh, number);
			continue;
		}
		if (needs_nothing(s, sh))
			end();
		sys(futex, &sh->asked, FUTEX_WAIT, number, &a_while, NULL, 0);
	}
}

static bool reap(pid_t pid, int options)
{
	siginfo_t info = { 0 };
	long rc;

	do
		rc = sys(waitid, P_PID, pid, &info,
			 WEXITED | __WCLONE | options, NULL);
	while (rc == -EINTR);
	return rc < 0 || info.si_pid == pid;
}

/* False: it is dead, and reaped. */
static bool is_ready(struct ff_shared *sh, pid_t pid)
{
	while (!atomic_load(&sh->ready)) {
		sys(futex, &sh->ready, FUTEX_WAIT, 0, &a_while, NULL, 0);
		if (!atomic_load(&sh->ready) && reap(pid, WNOHANG))
			return false;
	}
	return true;
}

static void remember(pid_t pid, pid_t child)
{
	pid_t none;
	unsigned i;

	atomic_fetch_add(&count, 1);
	for (i = 0; i < STANDINS_MAX; i++) {
		none = 0;
		if (!atomic_compare_exchange_strong(&standins[i], &none, -pid))
			continue;
		atomic_store(&served[i], child);
		atomic_store(&standins[i], pid);
		return;
	}
}

/* The @i-th, if there is one and no other thread is at it: is it reaped? */
static void try_to_reap(unsigned i, int options)
{
	pid_t pid = atomic_load(&standins[i]);

	if (pid <= 0 ||
	    !atomic_compare_exchange_strong(&standins[i], &pid, -pid))
		return;
	if (reap(pid, options)) {
		atomic_store(&standins[i], 0);
		atomic_fetch_sub(&count, 1);
	} else {
		atomic_store(&standins[i], pid);
	}
}

/* The clone, on a stack that only the new process keeps. */
static long make_process(struct ff_slot *slot, struct standin *of, void *stack)
{
	struct standin *s = (struct standin *)((char *)stack + STACK_BYTES -
					       sizeof(*s) - 64);
	ff_sigset mask;
	long pid;

	*s = *of;
	mask = ff_setmask(~(ff_sigset)0);
	ff_gate_enter_real(); /* H-N5 */
	pid = ff_fault(FF_FAULT_NO_STANDIN) || !ff_slot_open(slot) ?
		      -EAGAIN :
		      ff_clone(CLONE_FILES, (char *)s - 64, NULL, standin_main,
			       s);
	if (slot->is_open)
		ff_slot_close(slot);
	ff_gate_leave_real();
	ff_setmask(mask);
	return pid;
}

/* A process that is ready to serve, or -errno. */
static long prepare(struct ff_slot *slot, pid_t pid)
{
	struct standin s = { .image = &ff_image_of(slot)->slot,
			     .pid = pid,
			     .tells = !slot->committed };
	struct ff_shared *sh = slot->shared;
	long stack, made = -EAGAIN;

	if (atomic_load(&count) == STANDINS_MAX)
		return -EAGAIN;
	s.child = (int)sys(pidfd_open, pid, 0);
	if (s.child < 0)
		return s.child;
	stack = sys(mmap, NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	atomic_store(&sh->ready, 0);
	if (stack > 0 || stack < -4095) {
		made = make_process(slot, &s, (void *)stack);
		sys(munmap, stack, STACK_BYTES);
	}
	if (made > 0 && !is_ready(sh, (pid_t)made))
		made = -EAGAIN;
	sys(close, s.child);
	return made;
}

bool ff_standin_make(struct ff_slot *slot, pid_t pid)
{
	long made = prepare(slot, pid);

	if (made < 0)
		return false;
	remember((pid_t)made, pid);
	atomic_store(&slot->shared->source, FF_SOURCE_STANDIN);
	return true;
}

/* It has served nobody. */
static void dismiss(struct ff_slot *slot, pid_t pid)
{
	struct ff_shared *sh = slot->shared;

	atomic_store(&sh->dismissed, 1);
	sys(futex, &sh->asked, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	reap(pid, 0);
	atomic_store(&sh->dismissed, 0);
}

bool ff_standin_make_for_exec(struct ff_slot *slot, pid_t pid)
{
	uint32_t seen = FF_EXECING;
	long made;

	if (slot->areas.shared_code || !ff_handed_add(pid))
		return false;
	made = prepare(slot, pid);
	if (made > 0 && atomic_compare_exchange_strong(&slot->shared->state,
						       &seen, FF_EXEC_ALONE)) {
		remember((pid_t)made, pid);
		atomic_store(&slot->shared->source, FF_SOURCE_STANDIN);
		return true;
	}
	if (made > 0)
		dismiss(slot, (pid_t)made);
	ff_handed_remove(pid);
	return false;
}

void ff_standins_reap(void)
{
	unsigned i;

	for (i = 0; i < STANDINS_MAX && ff_any_standin(); i++)
		try_to_reap(i, WNOHANG);
}

/* No child of ours, or one that has ended: looks, reaps nothing. */
static bool has_ended(pid_t child)
{
	siginfo_t info = { 0 };
	long rc = sys(waitid, P_PID, child, &info,
		      WEXITED | WNOHANG | WNOWAIT | __WALL, NULL);

	return rc < 0 || info.si_pid == child;
}

void ff_standins_settle(void)
{
	unsigned i;

	for (i = 0; i < STANDINS_MAX && ff_any_standin(); i++)
		try_to_reap(i, has_ended(atomic_load(&served[i])) ? 0 :
								    WNOHANG);
}

bool ff_standin_found(pid_t pid)
{
	pid_t is = pid;
	unsigned i;

	if (pid <= 0)
		return false;
	for (i = 0; i < STANDINS_MAX && ff_any_standin(); i++) {
		is = pid;
		if (atomic_compare_exchange_strong(&standins[i], &is, 0)) {
			reap(pid, WNOHANG);
			atomic_fetch_sub(&count, 1);
			return true;
		}
		if (is == -pid)
			return true;
	}
	return false;
}

bool ff_any_standin(void)
{
	return atomic_load(&count) != 0;
}

void ff_standins_reset(void)
{
	unsigned i;

	if (!atomic_load(&count))
		return;
	for (i = 0; i < STANDINS_MAX; i++)
		atomic_store(&standins[i], 0);
	atomic_store(&count, 0);
}
