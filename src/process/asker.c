/*
 * The child shares its parent's memory and runs on a stack of its own; that
 * costs the same in a process of any size. It makes raw calls and writes to
 * the struct that it is given. Where a core dump would end all who share the
 * memory it is a copy, and the struct is shared.
 *
 * Rules: the parent makes no call that was not asked before but its clone.
 * So it looks at a word, without any call, until the child has asked about
 * futex; where that never comes there is nothing that it may do.
 *
 * Hazards
 *  H-Y1 A question may be the child's end, or be put to a supervisor who never
 *       answers, or late: the parent waits for the child's end, and no longer
 *       than it has time for all questions. Time in which it did not look
 *       itself is not the child's: both may be stopped, or have no processor.
 *       Once, as it may have been in calls of its own that are answered late.
 *  H-Y2 A filter may end a process only for a clone with CLONE_VM, and not for
 *       fork's. None is known that does; it would end the parent.
 *  H-Y3 No handler of the program may run in the child, which has them all:
 *       its signals are blocked. A SIGSYS that a filter raises ends it, or is
 *       handled by who only returns: then the call has made up a success.
 *  H-Y5 The next child has the same stack: the last one has left it when the
 *       kernel says so.
 */
#include "process/asker.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>

#include "arch/arch.h"
#include "host/newborn.h"
#include "host/sys.h"
#include "process/questions.h"

#define STACK_BYTES 16384
#define SLICE_NS (10L * 1000 * 1000)
#define SILENT_NS ((int64_t)FF_ASK_SILENT_MS * 1000 * 1000)
#define LAST_NS ((int64_t)2000 * 1000 * 1000) /* for an end by SIGKILL */
/* From one look to the next, once: not more counts. */
#define LOOK_NS (SILENT_NS / 2)

static char stack[STACK_BYTES] __attribute__((aligned(64)));

/* Children that have ended, each by a preparation, and that it was not known
 * how to reap. */
static struct {
	long pid[FF_ASK_PREPARATIONS];
	unsigned count;
} left;

/* When a child came to what it asks. */
struct progress {
	int64_t deadline_ns, since_ns;
	uint32_t at;
};

static void forget_left(void)
{
	left.count = 0;
}
FF_IN_NEW_PROCESS(forget_left);

bool ff_asks_wants(unsigned i, unsigned need, bool all)
{
	/* The one is to be had where the other is not. */
	if (i == FF_ASK_wait4 && !all)
		return false;
	return all || (ff_ask_needs(i) & need);
}

static enum ff_answer answer_of(const struct ff_asking *a, unsigned i)
{
	return (enum ff_answer)atomic_load(&a->answer[i]);
}

static bool is_allowed(const struct ff_asking *a, enum ff_ask which)
{
	return answer_of(a, which) == FF_ALLOWED;
}

static void note(struct ff_asking *a, unsigned which, enum ff_answer answer)
{
	uint8_t unknown = FF_NOT_ASKED;

	atomic_compare_exchange_strong(&a->answer[which], &unknown,
				       (uint8_t)answer);
}

static _Noreturn void child_end(struct ff_asking *a)
{
	long rc;

	atomic_store(&a->at, FF_ASK_exit + 1);
	if (!a->shares) {
		atomic_store(&a->alive, 0);
		sys(futex, &a->alive, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
	for (;;) {
		rc = sys(exit_group, 0);
		note(a, FF_ASK_exit, rc < 0 ? FF_REFUSED : FF_MADE_UP);
		sys(exit, 0);
	}
}

/* The first two have an effect on who asks; the others are asked once. */
static bool child_is_to_ask(const struct ff_asking *a, unsigned i)
{
	const enum ff_answer answer = answer_of(a, i);

	if (i == FF_ASK_exit)
		return false;
	if (i <= FF_ASK_death_signal && answer == FF_ALLOWED)
		return true;
	if (answer != FF_NOT_ASKED)
		return false;
	if (i == FF_ASK_wait4 && !is_allowed(a, FF_ASK_waitid))
		return true;
	return (i < FF_ASK_PREPARATIONS && i != FF_ASK_wait4) ||
	       ff_asks_wants(i, a->need, a->all);
}

/* To the end of the preparations, as the parent reaps it by them; then up to
 * the first answer that rules out what is needed. */
static void child_main(void *arg)
{
	struct ff_asking *a = arg;
	bool is_out = false;
	unsigned i;

	for (i = 0; i < FF_ASK_COUNT; i++) {
		if (child_is_to_ask(a, i)) {
			atomic_store(&a->at, i + 1);
			note(a, i, ff_child_ask(i));
			/* Its parent has given it up. */
			if (answer_of(a, i) == FF_SILENT)
				break;
			is_out |= ff_answer_rules_out(i, answer_of(a, i)) &&
				  !a->all;
		}
		if (i < FF_ASK_PREPARATIONS)
			is_out |= ff_answer_rules_out(i, answer_of(a, i));
		if (is_out && i + 1 >= FF_ASK_PREPARATIONS)
			break;
	}
	child_end(a);
}

/* From the vDSO, by no counter that a program may forbid itself
 * (PR_SET_TSC). */
int64_t ff_asker_now_ns(void)
{
	struct timespec t = { 0 };

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t looked_ns, missed_ns;
static bool has_missed;

int64_t ff_asker_watch(void)
{
	looked_ns = ff_asker_now_ns();
	return looked_ns - missed_ns;
}

int64_t ff_asker_watched_ns(void)
{
	const int64_t now = ff_asker_now_ns(), since = now - looked_ns;

	if (since > LOOK_NS && !has_missed) {
		has_missed = true;
		missed_ns += since - LOOK_NS;
	}
	looked_ns = now;
	return now - missed_ns;
}

/* What it was asking when it came to this end. */
static void note_end(struct ff_asking *a, enum ff_answer end)
{
	const uint32_t at = atomic_load(&a->at);

	if (at)
		note(a, at - 1, end);
}

/* 0: it has not ended, or may not be asked for; @pid: it has, by @ret_sig
 * or 0, and is reaped; -ECHILD: another thread took it, by __WALL. */
static long reap(const struct ff_asking *a, long pid, int *ret_sig)
{
	siginfo_t info = { .si_pid = 0 };
	int status = 0;
	long rc = 0;

	if (is_allowed(a, FF_ASK_waitid)) {
		rc = sys(waitid, P_PID, pid, &info, WEXITED | WNOHANG | __WALL,
			 NULL);
		*ret_sig = info.si_code == CLD_EXITED ? 0 : info.si_status;
		return rc == 0 ? info.si_pid : rc == -ECHILD ? rc : 0;
	}
	if (is_allowed(a, FF_ASK_wait4))
		rc = sys(wait4, pid, &status, WNOHANG | __WALL, NULL);
	*ret_sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return rc == pid || rc == -ECHILD ? rc : 0;
}

static bool may_reap(const struct ff_asking *a)
{
	return is_allowed(a, FF_ASK_waitid) || is_allowed(a, FF_ASK_wait4);
}

/* They are about to end, or have. */
static void reap_left(const struct ff_asking *a, int64_t deadline_ns)
{
	int sig;

	for (; left.count && may_reap(a); left.count--)
		while (reap(a, left.pid[left.count - 1], &sig) == 0 &&
		       ff_asker_watched_ns() < deadline_ns)
			ff_relax();
}

bool ff_askers_are_left(const struct ff_asking *a)
{
	return left.count && (answer_of(a, FF_ASK_waitid) == FF_NOT_ASKED ||
			      answer_of(a, FF_ASK_wait4) == FF_NOT_ASKED);
}

static bool has_ended(struct ff_asking *a, long pid)
{
	int sig = 0;
	long rc;

	if (!may_reap(a)) {
		if (atomic_load(&a->alive))
			return false;
		note_end(a, atomic_load(&a->at) == FF_ASK_exit + 1 ?
				    FF_ALLOWED :
				    FF_KILLED);
		if (left.count < FF_ASK_PREPARATIONS)
			left.pid[left.count++] = pid;
		return true;
	}
	rc = reap(a, pid, &sig);
	if (rc == 0)
		return false;
	if (rc < 0 || (sig && sig != SIGSYS))
		note_end(a, FF_SILENT);
	else
		note_end(a, sig ? FF_KILLED : FF_ALLOWED);
	return true;
}

/* Asks without an answer, or has no more time. */
static bool is_late(const struct ff_asking *a, struct progress *p)
{
	const int64_t now = ff_asker_watched_ns();

	if (atomic_load(&a->at) != p->at) {
		p->at = atomic_load(&a->at);
		p->since_ns = now;
	}
	return now > p->deadline_ns || now - p->since_ns > SILENT_NS;
}

/* H-Y1. False: it can't be ended. */
static bool wait_for_end(struct ff_asking *a, long pid, int64_t deadline_ns)
{
	const struct timespec slice = { 0, SLICE_NS };
	struct progress p = { deadline_ns, ff_asker_watched_ns(), 0 };
	bool is_killed = false;

	while (!has_ended(a, pid)) {
		if (is_late(a, &p)) {
			note_end(a, FF_SILENT);
			if (is_killed || !is_allowed(a, FF_ASK_kill))
				return false;
			sys(kill, pid, SIGKILL);
			is_killed = true;
			p.since_ns = ff_asker_watched_ns();
			p.deadline_ns = p.since_ns + LAST_NS;
		}
		if (atomic_load(&a->alive) && is_allowed(a, FF_ASK_futex))
			sys(futex, &a->alive, FUTEX_WAIT, 1, &slice, NULL, 0);
		else
			ff_relax();
	}
	return true;
}

static unsigned count_answers(const struct ff_asking *a)
{
	unsigned i, n = 0;

	for (i = 0; i < FF_ASK_COUNT; i++)
		n += answer_of(a, i) != FF_NOT_ASKED;
	return n;
}

long ff_asker_run(struct ff_asking *a, int64_t deadline_ns)
{
	const unsigned before = count_answers(a);
	long pid;

	atomic_store(&a->alive, 1);
	atomic_store(&a->at, 0);
	if (a->shares)
		pid = ff_clone(CLONE_VM | CLONE_CHILD_CLEARTID,
			       stack + sizeof(stack), NULL, &a->alive,
			       child_main, a);
	else
		pid = ff_clone(0, NULL, NULL, NULL, child_main, a);
	if (pid < 0)
		return pid;
	if (!wait_for_end(a, pid, deadline_ns))
		return -ETIMEDOUT;
	reap_left(a, deadline_ns);
	return count_answers(a) > before ? 0 : -EAGAIN;
}
