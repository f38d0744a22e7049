/*
 * The child runs on a stack of its own, and writes to what lies above that and
 * nowhere else: if it does not come back, it has taken nothing that is in use.
 *
 * Hazards
 *  H-G7 A file that is opened for us may be this process's own to give: it
 *       serves the file system, or is asked by a scanner (fanotify) who may
 *       open what. Or a server is gone. Such calls end for SIGKILL alone.
 */
#include "process/aside.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "arch/arch.h"
#include "host/clock.h"
#include "host/pidns.h"
#include "host/sys.h"
#include "process/fate.h"
#include "process/standins.h"
#include "process/trials.h"

#define STACK_BYTES ((size_t)32 << 10)
#define SLICE_NS (20L * 1000 * 1000)
#define PATIENCE_NS ((int64_t)FF_ASIDE_MS * 1000000)

struct aside {
	_Atomic uint32_t alive; /* the kernel clears it */
	_Atomic bool is_done;
	void (*what)(void *arg);
	_Alignas(64) char arg[];
};

static void child_main(void *arg)
{
	struct aside *a = arg;

	a->what(a->arg);
	atomic_store(&a->is_done, true);
	ff_end();
}

/* False: the time is over. Where CLONE_VM copies (some emulators) its word says
 * nothing. */
static bool ends_in_time(struct aside *a, long pid)
{
	const int64_t until = ff_now_ns() + PATIENCE_NS;
	const struct timespec slice = { 0, SLICE_NS };

	while (atomic_load(&a->alive)) {
		if (sys(futex, &a->alive, FUTEX_WAIT, 1, &slice, NULL, 0) !=
		    -ETIMEDOUT)
			continue;
		if (ff_has_ended((pid_t)pid))
			return true;
		if (ff_now_ns() >= until)
			return false;
	}
	return true;
}

/* The child's end; who is not to be killed keeps its memory, and is reaped
 * later. */
static bool is_gone(struct aside *a, long pid, bool ends)
{
	/* it has done its work, and has only to end */
	if (ends && ff_standin_reap_within((pid_t)pid, PATIENCE_NS))
		return true;
	ff_standin_remember((pid_t)pid, (pid_t)pid);
	ff_standin_dismiss((pid_t)pid);
	return !atomic_load(&a->alive) || ff_has_ended((pid_t)pid);
}

/* NULL: there is no child. */
static struct aside *begin(void (*what)(void *arg), const void *arg,
			   size_t bytes, long *ret_pid)
{
	const size_t all = STACK_BYTES + sizeof(struct aside) + bytes;
	struct aside *a;
	long at;

	/* An init is made once, and who waits for clones would find it. */
	if (ff_standins_full() || ff_next_child_is_init() || !ff_trial_begin())
		return NULL;
	at = sys(mmap, NULL, all, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ff_is_error(at)) {
		ff_trial_end();
		return NULL;
	}
	a = (struct aside *)(at + (long)STACK_BYTES);
	atomic_store(&a->alive, 1);
	a->what = what;
	memcpy(a->arg, arg, bytes);
	*ret_pid = ff_clone(CLONE_VM | CLONE_CHILD_CLEARTID, a, NULL, &a->alive,
			    child_main, a);
	if (*ret_pid >= 0)
		return a;
	ff_trial_end();
	sys(munmap, at, all);
	return NULL;
}

bool ff_aside(void (*what)(void *arg), void *arg, size_t bytes)
{
	bool ends = true, is_done = false;
	long pid = -1;
	struct aside *a = begin(what, arg, bytes, &pid);

	if (a) {
		ends = ends_in_time(a, pid);
		is_done = atomic_load(&a->is_done);
		if (is_done)
			memcpy(arg, a->arg, bytes);
		if (is_gone(a, pid, ends))
			sys(munmap, (char *)a - STACK_BYTES,
			    STACK_BYTES + sizeof(*a) + bytes);
		ff_trial_end();
	}
	if (ends && !is_done) {
		what(arg);
		is_done = true;
	}
	return is_done;
}
