/*
 * The child shares its parent's memory and runs on a stack of its own; that
 * costs the same in a process of any size. It makes raw calls and writes to
 * the struct below. Where a core dump would end all who share the memory it is
 * a copy, and the struct is shared.
 *
 * Rules: the parent makes no call that was not asked before but its clone.
 * So it looks at a word, without any call, until the child has asked about
 * futex; where that never comes there is nothing that it may do.
 *
 * Hazards
 *  H-Y1 A question may be the child's end, or be put to a supervisor who never
 *       answers: the parent waits for the child's end, or for no progress.
 *  H-Y2 A filter may end a process only for a clone with CLONE_VM, and not for
 *       fork's. None is known that does; it would end the parent.
 *  H-Y3 No handler of the program may run in the child, which has them all:
 *       its signals are blocked. A SIGSYS that a filter raises meets a blocked
 *       signal, so it ends the child whoever handles it.
 *  H-Y4 The child would be a pid namespace's init, and end that with itself:
 *       whether it would be is asked by a call that a process makes to be
 *       started.
 */
#include "process/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "arch/arch.h"
#include "arch/hot.h"
#include "host/coredump.h"
#include "host/file.h"
#include "host/signals.h"
#include "host/sys.h"
#include "process/questions.h"

#define STACK_BYTES 16384
#define SLICE_NS (10L * 1000 * 1000)
#define SILENT_NS ((int64_t)FF_ASK_SILENT_MS * 1000 * 1000)

/* Up to here a child asks in any case: it needs these itself. */
#define PREPARATIONS (FF_ASK_death_signal + 1)

/* Between a child and its parent. */
struct asking {
	_Atomic uint32_t alive; /* the kernel clears it, where memory is
				 * shared */
	_Atomic uint32_t at;	/* child: what is being asked, plus 1 */
	_Atomic uint8_t answer[FF_ASK_COUNT];
	/* Parent, before the clone. */
	unsigned need;
	bool all;
};

static struct asking known;
static char stack[STACK_BYTES] __attribute__((aligned(64)));
static _Atomic bool is_lost FF_HOT;

static bool is_wanted(unsigned i, unsigned need, bool all)
{
	return all || (ff_ask_needs(i) & need);
}

/* The first answer counts. */
static void note(struct asking *a, unsigned which, enum ff_answer answer)
{
	uint8_t unknown = FF_NOT_ASKED;

	atomic_compare_exchange_strong(&a->answer[which], &unknown,
				       (uint8_t)answer);
}

/* The kernel does not say it of a copy. */
static _Noreturn void child_end(struct asking *a)
{
	atomic_store(&a->alive, 0);
	sys(futex, &a->alive, FUTEX_WAKE, 1, NULL, NULL, 0);
	for (;;) {
		sys(exit_group, 0);
		sys(exit, 0);
	}
}

static void child_main(void *arg)
{
	struct asking *a = arg;
	enum ff_answer answer;
	bool is_out = false;
	unsigned i;

	for (i = 0; i < FF_ASK_COUNT; i++) {
		if (atomic_load(&a->answer[i]) != FF_NOT_ASKED &&
		    i >= PREPARATIONS)
			continue;
		if (i >= PREPARATIONS && !is_wanted(i, a->need, a->all))
			continue;
		if (i == FF_ASK_exit)
			continue;
		atomic_store(&a->at, i + 1);
		answer = ff_child_ask(i);
		note(a, i, answer);
		is_out |= ff_answer_rules_out(i, answer);
		/* What its parent reaps it by is asked in any case. */
		if (is_out && i >= FF_ASK_waitid &&
		    (!a->all || i < PREPARATIONS))
			break;
	}
	atomic_store(&a->at, FF_ASK_exit + 1);
	child_end(a);
}

/* From the vDSO, without a system call. */
static int64_t now_ns(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool is_allowed(const struct asking *a, enum ff_ask which)
{
	return atomic_load(&a->answer[which]) == FF_ALLOWED;
}

/* Without a call, until one may be made. */
static bool may_wait(struct asking *a)
{
	const int64_t deadline = now_ns() + SILENT_NS;

	while (!is_allowed(a, FF_ASK_futex)) {
		if (!atomic_load(&a->alive) || now_ns() > deadline ||
		    atomic_load(&a->answer[FF_ASK_futex]) != FF_NOT_ASKED)
			return is_allowed(a, FF_ASK_futex);
		ff_relax();
	}
	return true;
}

/* What it was asking when it came to this end. */
static void note_end(struct asking *a, enum ff_answer end)
{
	const uint32_t at = atomic_load(&a->at);

	if (at)
		note(a, at - 1, end);
}

/* Has it ended? Reaps it then. */
static bool has_ended(struct asking *a, long pid)
{
	siginfo_t info = { .si_pid = 0 };
	long rc = -EAGAIN;

	if (is_allowed(a, FF_ASK_waitid))
		rc = sys(waitid, P_PID, pid, &info, WEXITED | WNOHANG | __WALL,
			 NULL);
	/* Another thread took it, by __WALL. */
	if (rc == -ECHILD)
		note_end(a, FF_SILENT);
	if (rc == -ECHILD)
		return true;
	if (rc < 0 || info.si_pid != pid)
		return false;
	if (info.si_code == CLD_EXITED)
		note_end(a, FF_ALLOWED);
	else
		note_end(a, info.si_status == SIGSYS ? FF_KILLED : FF_SILENT);
	return true;
}

/* H-Y1. False: it can't be got rid of. */
static bool wait_for_end(struct asking *a, long pid)
{
	const struct timespec slice = { 0, SLICE_NS };
	int64_t deadline = now_ns() + SILENT_NS;
	uint32_t seen = atomic_load(&a->at), now;
	bool is_killed = false;

	while (!has_ended(a, pid)) {
		now = atomic_load(&a->at);
		if (now != seen)
			deadline = now_ns() + SILENT_NS;
		seen = now;
		if (now_ns() > deadline) {
			note_end(a, FF_SILENT);
			if (is_killed || !is_allowed(a, FF_ASK_kill))
				return false;
			sys(kill, pid, SIGKILL);
			is_killed = true;
			deadline = now_ns() + SILENT_NS;
		}
		if (atomic_load(&a->alive))
			sys(futex, &a->alive, FUTEX_WAIT, 1, &slice, NULL, 0);
		else if (!is_allowed(a, FF_ASK_waitid))
			break;
	}
	/* Ended by its second question, or its first that counts. */
	if (!is_allowed(a, FF_ASK_waitid)) {
		note_end(a, FF_KILLED);
		return false;
	}
	return true;
}

static struct asking *shared_copy(void)
{
	struct asking *a;
	long at = sys(mmap, NULL, sizeof(*a), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (ff_is_error(at))
		return NULL;
	a = (struct asking *)at;
	memcpy(a, &known, sizeof(*a));
	return a;
}

static unsigned count_answers(const struct asking *a)
{
	unsigned i, n = 0;

	for (i = 0; i < FF_ASK_COUNT; i++)
		n += atomic_load(&a->answer[i]) != FF_NOT_ASKED;
	return n;
}

/* One child; 0 or -errno: it did not come to a question. */
static long ask_in_child(struct asking *a, bool shares)
{
	const unsigned before = count_answers(a);
	long pid;

	atomic_store(&a->alive, 1);
	atomic_store(&a->at, 0);
	if (shares)
		pid = ff_clone(CLONE_VM | CLONE_CHILD_CLEARTID,
			       stack + sizeof(stack), NULL, &a->alive,
			       child_main, a);
	else
		pid = ff_clone(0, NULL, NULL, NULL, child_main, a);
	if (pid < 0)
		return pid;
	if (!may_wait(a)) {
		note_end(a, atomic_load(&a->alive) ? FF_SILENT : FF_KILLED);
		atomic_store(&is_lost, true);
	} else if (!wait_for_end(a, pid)) {
		atomic_store(&is_lost, true);
	}
	return ff_ask_is_lost() || count_answers(a) > before ? 0 : -EAGAIN;
}

static bool is_answered(unsigned need, bool all)
{
	unsigned i;

	if (ff_ask_is_lost() || (!all && ff_ask_why_not(need)))
		return true;
	/* Who can't do these can't ask. */
	for (i = 0; i < PREPARATIONS; i++)
		if (ff_answer_rules_out(i, ff_ask_answer(i)))
			return true;
	for (i = 0; i < FF_ASK_COUNT; i++)
		if (is_wanted(i, need, all) &&
		    atomic_load(&known.answer[i]) == FF_NOT_ASKED)
			return false;
	return true;
}

/* H-Y4 */
static bool would_be_init(void)
{
	long fd = sys(openat, AT_FDCWD, "/proc/thread-self/ns/pid_for_children",
		      O_RDONLY | O_CLOEXEC, 0);

	if (fd >= 0)
		sys(close, fd);
	return fd < 0;
}

bool ff_ask_is_answered(unsigned need)
{
	return is_answered(need, false);
}

int ff_ask(unsigned need, bool all)
{
	struct asking *a = &known;
	char release[64];
	bool shares;
	long rc = 0;

	if (is_answered(need, all))
		return 0;
	if (would_be_init())
		return -EAGAIN;
	if (ff_read_file("/proc/sys/kernel/osrelease", release,
			 sizeof(release)) > 0)
		ff_core_dump_learn(release);
	shares = !ff_core_dump_kills_sharers();
	if (!shares)
		a = shared_copy();
	if (!a)
		return -ENOMEM;
	a->need = need;
	a->all = all;
	while (rc == 0 && !is_answered(need, all)) {
		rc = ask_in_child(a, shares);
		if (!shares)
			memcpy(&known, a, sizeof(known));
	}
	if (!shares)
		sys(munmap, a, sizeof(*a));
	return (int)rc;
}

bool ff_ask_is_lost(void)
{
	return atomic_load(&is_lost);
}

const char *ff_ask_why_not(unsigned need)
{
	enum ff_answer answer;
	unsigned i;

	for (i = 0; i < FF_ASK_COUNT; i++) {
		if (!(ff_ask_needs(i) & need))
			continue;
		answer = ff_ask_answer(i);
		if (ff_answer_rules_out(i, answer))
			return ff_answer_why(i, answer);
	}
	return NULL;
}

enum ff_answer ff_ask_answer(enum ff_ask which)
{
	return (enum ff_answer)atomic_load(&known.answer[which]);
}

void ff_ask_forget(void)
{
	unsigned i;

	for (i = 0; i < FF_ASK_COUNT; i++)
		atomic_store(&known.answer[i], FF_NOT_ASKED);
}
