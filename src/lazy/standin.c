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
 *  H-N3 It ends when the child needs nothing more. That it is dead or has
 *       exec'ed only the kernel can say; however much it is asked, it looks at
 *       that now and then. The child itself may say that it has all.
 *  H-N4 What it goes by is private, from before the child could write. Of the
 *       image it takes a number, an address and a length, and gives nothing
 *       but what its parent's list says that the child went without.
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
#include <string.h>
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
#define LOOK_EVERY 16	  /* answers */
#define FORK_NO_EXEC 0x40 /* PF_FORKNOEXEC of linux/sched.h */
#define STANDINS_MAX 64

static const struct timespec a_while = { 0, 100L * 1000 * 1000 };

/* Of this process, not yet reaped; 0: free; negative: being asked for. */
static _Atomic pid_t standins[STANDINS_MAX];
static _Atomic pid_t served[STANDINS_MAX]; /* the child of each */
static _Atomic unsigned count FF_HOT;

/* Shared by the two, and by nobody else. */
struct pact {
	_Atomic uint32_t ready;
	_Atomic uint32_t dismissed; /* it is not needed */
};

/* Above its stack, so private; its parent fills in the first part. */
struct standin {
	struct ff_slot *image; /* the child's, where the parent has it */
	struct pact *pact;
	int child;  /* a pidfd */
	bool tells; /* the parent, of an end that sends nothing */
	struct ff_areas areas;

	int mem, pagemap;
	int status; /* the child's /proc/PID/stat */
	struct ff_robust_head head;
	struct ff_robust_list entry;
};

static _Noreturn void end(void)
{
	for (;;)
		sys(exit_group, 0);
}

/* The list is private, the word is not. */
static void own_robust_word(struct standin *s)
{
	struct ff_shared *sh = &s->image->of_child;

	s->head.list.next = &s->entry;
	s->entry.next = &s->head.list;
	s->head.futex_offset =
		(long)((uintptr_t)&sh->standin - (uintptr_t)&s->entry);
	s->head.pending = NULL;
	sys(set_robust_list, &s->head, sizeof(s->head));
	atomic_store(&sh->standin, (uint32_t)ff_gettid() | FUTEX_WAITERS);
}

/* H-N1, H-N2 */
static void drop_all(struct standin *s)
{
	const struct ff_areas *areas = &s->areas;
	unsigned i;

	if (sys(close_range, s->child + 1, ~0U, CLOSE_RANGE_UNSHARE) < 0 ||
	    (s->child > 0 && sys(close_range, 0, s->child - 1, 0) < 0))
		end();
	sys(setsid);
	sys(chdir, "/");
	for (i = 0; i < areas->shared_count; i++)
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

/* The entries' two highest bits: where the pages are is for nobody to know. */
static long read_pagemap(const struct standin *s, uintptr_t at, size_t bytes)
{
	uint64_t *entry = (uint64_t *)s->image->window;
	long i, got = sys(pread64, s->pagemap, entry, bytes,
			  at / FF_PAGE * sizeof(*entry));

	for (i = 0; i < got / (long)sizeof(*entry); i++)
		entry[i] &= (uint64_t)3 << 62;
	return got;
}

/* How much of what lies from @at on the child went without. */
static size_t absent_bytes(const struct ff_areas *areas, uintptr_t at)
{
	unsigned i;

	for (i = 0; i < areas->count; i++)
		if (areas->area[i].start <= at && at < areas->area[i].end)
			return areas->area[i].end - at;
	return 0;
}

/* H-N4 */
static void answer(const struct standin *s, struct ff_shared *sh,
		   uint32_t number)
{
	const bool pagemap = atomic_load(&sh->question) == FF_WANT_PAGEMAP;
	size_t bytes = atomic_load(&sh->bytes), most;
	uintptr_t at = atomic_load(&sh->at);

	most = absent_bytes(&s->areas, at);
	if (pagemap)
		most = most / FF_PAGE * sizeof(uint64_t);
	if (most > FF_WINDOW_BYTES)
		most = FF_WINDOW_BYTES;
	if (bytes > most)
		bytes = most;
	sh->answer = bytes == 0 ? -EFAULT :
		     pagemap	? read_pagemap(s, at, bytes) :
				  read_memory(s, at, bytes);
	atomic_store(&sh->answered, number);
	sys(futex, &sh->answered, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* "/proc/self/fdinfo/N" tells the child's number where /proc was mounted. */
static long open_status(const struct standin *s)
{
	char text[1024];
	struct ff_line path = ff_line_start(text, sizeof(text));
	const char *value;
	long fd, n;

	ff_line_str(&path, "/proc/self/fdinfo/");
	ff_line_unsigned(&path, (uint64_t)s->child, 10);
	text[path.used] = 0;
	fd = sys(openat, AT_FDCWD, text, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	n = sys(read, fd, text, sizeof(text) - 1);
	sys(close, fd);
	text[n < 0 ? 0 : n] = 0;
	value = strstr(text, "\nPid:\t");
	if (!value)
		return -ESRCH;
	n = 0;
	for (value += 6; *value >= '0' && *value <= '9'; value++)
		n = n * 10 + (*value - '0');
	path = ff_line_start(text, sizeof(text));
	ff_line_str(&path, "/proc/");
	ff_line_unsigned(&path, (uint64_t)n, 10);
	ff_line_str(&path, "/stat");
	text[path.used] = 0;
	return sys(openat, AT_FDCWD, text, O_RDONLY | O_CLOEXEC, 0);
}

/* The @nth number, by proc(5), of the child's status; -1: it is reaped. */
static long status_word(const struct standin *s, int nth)
{
	char text[1024];
	long i, value = 0, n = sys(pread64, s->status, text, sizeof(text), 0);
	int word = 2;

	for (i = n; i > 0 && text[i - 1] != ')'; i--)
		;
	if (i <= 0)
		return -1;
	for (; i < n && word < nth; i++)
		word += text[i] == ' ';
	for (; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		value = value * 10 + (text[i] - '0');
	return value;
}

/*
 * The kernel's mark of a process that has only been made by fork, readable by
 * everybody: it is gone when the program is another one.
 */
static bool has_execed(const struct standin *s)
{
	const long flags = status_word(s, 9);

	return flags < 0 || !(flags & FORK_NO_EXEC);
}

/*
 * H-N6 A child on trial sends nothing when it ends before the kernel has
 *      started its program. Who stands in for its parent then does: it looks at
 *      what the zombie would have sent.
 */
static bool has_no_exit_signal(const struct standin *s)
{
	return status_word(s, 38) == 0;
}

/* H-N3 */
static bool needs_nothing(const struct standin *s, struct ff_shared *sh)
{
	struct pollfd p = { .fd = s->child, .events = POLLIN };
	const struct timespec now = { 0, 0 };
	long parent;

	if (atomic_load(&s->pact->dismissed))
		return true;
	if (sys(ppoll, &p, 1, &now, NULL, 0) == 1) {
		parent = sys(getppid);
		if (s->tells && has_no_exit_signal(s))
			sys(kill, parent, SIGCHLD);
		return true;
	}
	return has_execed(s) ||
	       (!s->tells && atomic_load(&sh->state) == FF_RELEASED);
}

static void stand_up(struct standin *s)
{
	drop_all(s);
	own_robust_word(s);
	s->mem = (int)sys(openat, AT_FDCWD, "/proc/self/mem",
			  O_RDONLY | O_CLOEXEC, 0);
	s->pagemap = (int)sys(openat, AT_FDCWD, "/proc/self/pagemap",
			      O_RDONLY | O_CLOEXEC, 0);
	s->status = (int)open_status(s);
	if (s->status < 0)
		end();
	atomic_store(&s->pact->ready, 1);
	sys(futex, &s->pact->ready, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void standin_main(void *arg)
{
	struct standin *s = arg;
	struct ff_shared *sh = &s->image->of_child;
	uint32_t number, last = atomic_load(&sh->answered);
	unsigned turn;

	stand_up(s);
	for (turn = 1;; turn++) {
		number = atomic_load(&sh->asked);
		if (number != last)
			answer(s, sh, number);
		else if (needs_nothing(s, sh))
			end();
		else
			sys(futex, &sh->asked, FUTEX_WAIT, number, &a_while,
			    NULL, 0);
		last = number;
		if (turn % LOOK_EVERY == 0 && needs_nothing(s, sh))
			end();
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
static bool is_ready(struct pact *pact, pid_t pid)
{
	while (!atomic_load(&pact->ready)) {
		sys(futex, &pact->ready, FUTEX_WAIT, 0, &a_while, NULL, 0);
		if (!atomic_load(&pact->ready) && reap(pid, WNOHANG))
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

static void *map_some(size_t bytes, int flags)
{
	long at = sys(mmap, NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);

	return at < 0 && at > -4096 ? NULL : (void *)at;
}

/* Nobody else that is made meanwhile has it. */
static struct pact *make_pact(void)
{
	struct pact *pact = map_some(FF_PAGE, MAP_SHARED);

	if (pact)
		sys(madvise, pact, FF_PAGE, MADV_DONTFORK);
	return pact;
}

/* The clone, on a stack that only the new process keeps. */
static long make_process(struct ff_slot *slot, struct standin *s)
{
	ff_sigset mask;
	long pid = -EAGAIN;

	mask = ff_setmask(~(ff_sigset)0);
	ff_gate_enter_real(); /* H-N5 */
	if (!ff_fault(FF_FAULT_NO_STANDIN) && ff_slot_open(slot)) {
		sys(madvise, s->pact, FF_PAGE, MADV_DOFORK);
		pid = ff_clone(CLONE_FILES, (char *)s - 64, NULL, standin_main,
			       s);
		sys(madvise, s->pact, FF_PAGE, MADV_DONTFORK);
		ff_slot_close(slot);
	}
	ff_gate_leave_real();
	ff_setmask(mask);
	return pid;
}

/* A process that is ready to serve, or -errno. */
static long prepare(struct ff_slot *slot, pid_t pid, struct pact *pact)
{
	const size_t bytes = STACK_BYTES + sizeof(struct standin);
	char *stack = pact ? map_some(bytes, MAP_PRIVATE) : NULL;
	struct standin *s;
	long made = -EAGAIN;

	if (!stack)
		return -ENOMEM;
	s = (struct standin *)(stack + STACK_BYTES);
	s->image = &ff_image_of(slot)->slot;
	s->pact = pact;
	s->tells = !slot->committed;
	ff_areas_copy(&s->areas, &slot->areas);
	s->child = (int)sys(pidfd_open, pid, 0);
	if (s->child >= 0 && atomic_load(&count) < STANDINS_MAX)
		made = make_process(slot, s);
	if (made > 0 && !is_ready(pact, (pid_t)made))
		made = -EAGAIN;
	if (s->child >= 0)
		sys(close, s->child);
	sys(munmap, stack, bytes);
	return made;
}

bool ff_standin_make(struct ff_slot *slot, pid_t pid)
{
	struct pact *pact = make_pact();
	long made = prepare(slot, pid, pact);

	if (pact)
		sys(munmap, pact, FF_PAGE);
	if (made < 0)
		return false;
	remember((pid_t)made, pid);
	atomic_store(&slot->shared->source, FF_SOURCE_STANDIN);
	return true;
}

/* It has served nobody. */
static void dismiss(struct ff_slot *slot, struct pact *pact, pid_t pid)
{
	atomic_store(&pact->dismissed, 1);
	sys(futex, &slot->shared->asked, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	reap(pid, 0);
}

bool ff_standin_make_for_exec(struct ff_slot *slot, pid_t pid)
{
	uint32_t seen = FF_EXECING;
	struct pact *pact;
	bool alone;
	long made;

	if (slot->areas.shared_code || !ff_handed_add(pid))
		return false;
	pact = make_pact();
	made = prepare(slot, pid, pact);
	alone = made > 0 &&
		atomic_compare_exchange_strong(&slot->shared->state, &seen,
					       FF_EXEC_ALONE);
	if (alone) {
		remember((pid_t)made, pid);
		atomic_store(&slot->shared->source, FF_SOURCE_STANDIN);
	} else {
		if (made > 0)
			dismiss(slot, pact, (pid_t)made);
		ff_handed_remove(pid);
	}
	if (pact)
		sys(munmap, pact, FF_PAGE);
	return alone;
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
