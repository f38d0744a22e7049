/*
 * A process of its own, on a stack of its own. It makes raw calls only, and not
 * a line of the program's: all signals are blocked, it has no descriptors, no
 * dispatch, no fork handlers run.
 *
 * Hazards
 *  H-D1 Nobody may see it. Its exit signal is 0, so that no ordinary wait
 *       finds it and its end sends nothing; it leaves its parent's session and
 *       group; it drops what a descriptor, a directory or shared memory keeps
 *       in use, before its parent goes on. Calls with __WALL look for it in
 *       preload/wait.c. A child whose parent is dead goes on alone as soon as
 *       it can, as who stands in is somebody else's child then.
 *  H-D2 It is made with the descriptors of its parent shared, and unshares
 *       them, so that a file is never open for a moment longer than in its
 *       parent: a lock on it would be, too. What it needs it opens behind that:
 *       in its parent's table others might meet it.
 *  H-D3 It ends when the child needs nothing more. That it is dead or has
 *       exec'ed only the kernel can say; however much it is asked, it looks at
 *       that now and then. The child itself may say that it has all.
 *  H-D14 All signals are blocked for the child, and one that computes makes no
 *       call before which it would take them. So who stands in looks whether
 *       there are some, and then asks the child to look.
 *  H-D25 /proc may hide the child of a parent that gave up its rights
 *       (hidepid), or be another namespace's. It has its memory all the same.
 *       As nobody sees its signals, it is to leave as soon as it runs. It is
 *       looked for again: most programs that it may exec, and the dead, can be
 *       seen.
 *  H-D26 Where children are born into another pid namespace, so is this, and
 *       the number that the parent has for the child is nobody's here, or
 *       another's. The child's own word is a hint: who it is, /proc tells.
 */
#include "lazy/parent/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "host/fault.h"
#include "host/file.h"
#include "host/ground.h"
#include "host/maps.h"
#include "host/page.h"
#include "host/pidns.h"
#include "host/signals.h"
#include "host/sys.h"
#include "tell/line.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif

#ifndef PIDFD_SIGNAL_THREAD
#define PIDFD_SIGNAL_THREAD (1U << 0)
#endif

/* Of /proc/PID/status, with some 2000 groups. */
#define STATUS_BYTES ((size_t)16 << 10)
#define LOOK_EVERY 16 /* answers */
#define NAP_NS_MIN (100L * 1000)
#define FORK_NO_EXEC 0x40 /* PF_FORKNOEXEC of linux/sched.h */

static const struct timespec a_while = { 0, 100L * 1000 * 1000 };

/* The list is private, the word is not. */
static void own_robust_word(struct ff_standin *s)
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

/* All that is shared, to be written or not: who counts it (SysV shared memory)
 * or wants the file back sees that it is in use. False: it can't be listed. */
static bool drop_shared(const struct ff_standin *s)
{
	struct ff_keep keep = { 0 };
	struct ff_mapping m;
	struct ff_maps maps;
	int rc;

	ff_pages_keep(&keep);
	ff_slots_keep(&keep);
	keep.range[keep.count++] =
		(struct ff_range){ (uintptr_t)s->pact,
				   (uintptr_t)s->pact + FF_PAGE };
	keep.ours = keep.count;
	if (ff_maps_open(&maps) < 0)
		return false;
	maps.shared = true;
	while ((rc = ff_maps_next(&maps, &m)) > 0)
		if (!ff_keeps_as_ours(&keep, &m))
			sys(munmap, m.start, m.end - m.start);
	ff_maps_close(&maps);
	return rc == 0;
}

/* H-D1, H-D2 */
static void drop_all(struct ff_standin *s)
{
	if (sys(close_range, 0, ~0U, CLOSE_RANGE_UNSHARE) < 0)
		ff_end();
	sys(setsid);
	sys(chdir, "/");
	if (!drop_shared(s))
		ff_end();
}

/* The child's number where /proc was mounted: "/proc/self/fdinfo/N" tells it. 0:
 * it has none there, or that can't be read. */
static uint64_t number_in_proc(int child)
{
	char text[1024];
	struct ff_line path = ff_line_start(text, sizeof(text));
	const char *value;

	ff_line_str(&path, "/proc/self/fdinfo/");
	ff_line_unsigned(&path, (uint64_t)child, 10);
	text[path.used] = 0;
	if (ff_read_file(text, text, sizeof(text)) < 0)
		return 0;
	value = strstr(text, "\nPid:\t");
	return value ? ff_number_at(value + 6) : 0;
}

/* A file, or -errno, as where it is hidden (H-D25). */
static long open_of_child(const struct ff_standin *s, const char *name)
{
	char text[64];
	struct ff_line path = ff_line_start(text, sizeof(text));
	const uint64_t pid = number_in_proc(s->child);

	if (!pid)
		return -ESRCH;
	ff_line_str(&path, "/proc/");
	ff_line_unsigned(&path, pid, 10);
	ff_line_str(&path, name);
	text[path.used] = 0;
	return sys(openat, AT_FDCWD, text, O_RDONLY | O_CLOEXEC, 0);
}

/* H-D26. The kernel knows a parent by number only who lives beside it. */
static bool find_child(struct ff_standin *s)
{
	const bool elsewhere = sys(getppid) == 0;
	const uint32_t word = atomic_load(&s->image->of_child.owner);

	s->child = (int)sys(
		pidfd_open,
		elsewhere ? (pid_t)(word & FUTEX_TID_MASK) : s->child_pid, 0);
	return s->child >= 0 && (!elsewhere || number_in_proc(s->child) ==
						       (uint64_t)s->child_pid);
}

static void look_for_child(struct ff_standin *s)
{
	if (s->status < 0)
		s->status = (int)open_of_child(s, "/stat");
	if (s->about < 0)
		s->about = (int)open_of_child(s, "/status");
}

#define UNKNOWN (-2)

/* The @nth number, by proc(5), of the child's status; -1: it is reaped; or
 * UNKNOWN, this time. */
static long status_word(const struct ff_standin *s, int nth)
{
	char text[1024];
	int64_t number;
	long n;

	if (s->status < 0)
		return UNKNOWN;
	n = sys(pread64, s->status, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return n == -ESRCH ? -1 : UNKNOWN;
	text[n] = 0;
	number = ff_stat_number(text, nth);
	return number < 0 ? UNKNOWN : (long)number;
}

/*
 * The kernel's mark of a process that has only been made by fork, readable by
 * everybody: it is gone when the program is another one.
 */
static bool has_execed(const struct ff_standin *s)
{
	const long flags = status_word(s, 9);

	return flags != UNKNOWN && (flags < 0 || !(flags & FORK_NO_EXEC));
}

/*
 * H-D6 A child on trial sends nothing when it ends before the kernel has
 *      started its program. Who stands in for its parent then does: it looks at
 *      what the zombie would have sent.
 */
static bool has_no_exit_signal(const struct ff_standin *s)
{
	return status_word(s, 38) == 0;
}

/* H-D3 */
static bool needs_nothing(struct ff_standin *s, struct ff_shared *sh)
{
	struct pollfd p = { .fd = s->child, .events = POLLIN };
	const struct timespec now = { 0, 0 };

	look_for_child(s);
	if (sys(ppoll, &p, 1, &now, NULL, 0) == 1) {
		if (s->tells && has_no_exit_signal(s) &&
		    sys(getppid) == s->parent)
			sys(kill, s->parent, SIGCHLD);
		return true;
	}
	return has_execed(s) ||
	       (!s->tells && atomic_load(&sh->state) == FF_RELEASED);
}

static void stand_up(struct ff_standin *s)
{
	if (ff_fault(FF_FAULT_STANDIN_STOPS))
		sys(kill, ff_getpid(), SIGSTOP);
	drop_all(s);
	if (!find_child(s))
		ff_end();
	own_robust_word(s);
	ff_supply_begin(&s->supply, s->image, &s->areas, FF_SOURCE_STANDIN);
	ff_supply_open(&s->supply);
	s->status = s->about = -1;
	look_for_child(s);
	atomic_store(&s->pact->ready, 1);
	sys(futex, &s->pact->ready, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* A mark that stays is no reason to hurry. */
static void sleep_until_asked(struct ff_standin *s, uint32_t owner,
			      long *nap_ns)
{
	if (!(owner & FUTEX_OWNER_DIED)) {
		ff_supply_sleep(&s->supply, owner, a_while.tv_nsec);
		return;
	}
	ff_supply_sleep(&s->supply, owner, *nap_ns);
	if (*nap_ns < a_while.tv_nsec)
		*nap_ns *= 2;
}

/* Its child has its memory, and has only to end. */
static void sleep_until_end(const struct ff_standin *s)
{
	struct pollfd p = { .fd = s->child, .events = POLLIN };

	sys(ppoll, &p, 1, &a_while, NULL, 0);
}

static ff_sigset pending_of_child(const struct ff_standin *s)
{
	char text[STATUS_BYTES];
	long got = sys(pread64, s->about, text, sizeof(text) - 1, 0);

	text[got < 0 ? 0 : got] = 0;
	return ff_ground_pending(text);
}

/* H-C4. Before Linux 6.9 it can only be sent to all of the process, where it
 * would be one with what waits there already. */
static long ask(const struct ff_standin *s, ff_sigset pending)
{
	long rc;

	if (ff_fault(FF_FAULT_NO_ASKING))
		return -EPERM;
	rc = sys(pidfd_send_signal, s->child, SIGSYS, NULL,
		 PIDFD_SIGNAL_THREAD);
	if (rc != -EINVAL)
		return rc;
	return pending & FF_SIG(SIGSYS) ?
		       rc :
		       sys(pidfd_send_signal, s->child, SIGSYS, NULL, 0);
}

/* H-D14 As the parent asks a child to leave (H-C4). */
static void ask_if_it_runs(const struct ff_standin *s, struct ff_shared *sh,
			   ff_sigset pending)
{
	uint32_t seen = FF_RUNNING;

	if (atomic_compare_exchange_strong(&sh->state, &seen, FF_ASKED) &&
	    ask(s, pending) < 0) {
		seen = FF_ASKED;
		atomic_compare_exchange_strong(&sh->state, &seen, FF_RUNNING);
	}
}

static void tell_of_signals(struct ff_standin *s, struct ff_shared *sh)
{
	const ff_sigset pending = pending_of_child(s);

	if (s->about < 0) /* H-D25 */
		atomic_store(&sh->leave, 1);
	if (s->about < 0 || (pending & ~s->pending))
		ask_if_it_runs(s, sh, pending);
	s->pending = pending;
}

/* H-D1 */
static void look_at_parent(const struct ff_standin *s, struct ff_shared *sh)
{
	if (ff_parent_is_dead(s->parent))
		atomic_store(&sh->leave, 1);
}

void ff_standin_serve(void *arg)
{
	struct ff_standin *s = arg;
	struct ff_shared *sh = &s->image->of_child;
	long nap_ns = NAP_NS_MIN;
	uint32_t owner;
	unsigned turn;

	stand_up(s);
	for (turn = 1;; turn++) {
		owner = atomic_load(&sh->owner);
		if (ff_supply_is_asked(&s->supply)) {
			ff_supply_answer(&s->supply);
		} else if (needs_nothing(s, sh)) {
			ff_end();
		} else {
			look_at_parent(s, sh);
			tell_of_signals(s, sh);
			if (atomic_load(&sh->state) == FF_RELEASED)
				sleep_until_end(s);
			else
				sleep_until_asked(s, owner, &nap_ns);
		}
		if (turn % LOOK_EVERY == 0 && needs_nothing(s, sh))
			ff_end();
	}
}
