/*
 * The kernel may hold up an exec for as long as it likes: for a slow file
 * system, or a scanner, which the parent may be itself. Nothing gets a borrower
 * out of there, and its parent waits for it. So another process execs: it is
 * cloned of the borrower, in the same memory, as the parent's child, and fork
 * returns its pid. The borrower waits for it in a call that ends, and leaves if
 * that takes too long.
 *
 * Hazards
 *  H-O6 One that is held up may begin its program at any moment, and what has
 *       begun is not to be killed. A stop that is pending lets it come to its
 *       first instruction, and not on: if it is in this memory still, then it
 *       is ended, and has done nothing.
 *  H-O7 A signal for both, or that came for the borrower before there was an
 *       envoy, is raised in the envoy, unless it has it. If it is handled, it
 *       came before the exec: then a fork takes it.
 *  H-O8 It is what the borrower was when it was cloned. Who makes another call
 *       behind an exec that was refused, has no envoy for the next one.
 */
#include "lend/child/envoy.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>

#include "arch/arch.h"
#include "host/signals.h"
#include "lend/child/farewell.h"
#include "lend/loan.h"
#include "process/filter.h"

#define LOOK_NS (10L * 1000 * 1000)

#define FLAGS \
	(CLONE_VM | CLONE_PARENT | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

static void wait_for(_Atomic uint32_t *word, uint32_t seen)
{
	const struct timespec a_while = { 0, LOOK_NS };

	sys(futex, word, FUTEX_WAIT, seen, &a_while, NULL, 0);
}

/* The envoy to the borrower, which waits for its end by the same word. */
static void answer(struct ff_envoy *e, enum ff_envoy_word what)
{
	atomic_store(&e->word, what);
	atomic_fetch_add(&e->here, 1);
	sys(futex, &e->here, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* All signals are blocked. */
static void envoy(void *arg)
{
	struct ff_loan *loan = arg;
	struct ff_envoy *e = &loan->envoy;
	uint32_t word;

	for (;;) {
		while ((word = atomic_load(&e->word)) != FF_ENVOY_ORDERED) {
			if (word == FF_ENVOY_DISMISSED ||
			    !atomic_load(&loan->borrowed))
				ff_end(); /* nobody will order */
			wait_for(&e->word, word);
		}
		ff_raise_taken(e->arrived & ~ff_pending(),
			       loan->info); /* H-O7 */
		ff_setmask(loan->own_mask);
		e->rc = ff_sys(e->nr, e->args[0], e->args[1], e->args[2],
			       e->args[3], e->args[4], 0);
		ff_setmask(~(ff_sigset)0);
		answer(e, FF_ENVOY_REFUSED);
	}
}

bool ff_envoy_was_interrupted(const struct ff_loan *loan, const ucontext_t *uc)
{
	const uintptr_t top =
		(uintptr_t)ff_loan_envoy_stack((struct ff_loan *)loan);
	const uintptr_t sp = ff_stack_pointer(uc);

	return sp <= top && sp > top - FF_LOAN_ENVOY_BYTES;
}

void ff_envoy_on_signal(struct ff_loan *loan, int sig, const siginfo_t *info)
{
	loan->envoy.handled = FF_SIG(sig);
	loan->envoy.info = *info;
	answer(&loan->envoy, FF_ENVOY_CALLED);
	ff_end();
}

static bool make(struct ff_loan *loan)
{
	struct ff_envoy *e = &loan->envoy;
	long rc;

	atomic_store(&e->here, 1);
	atomic_store(&e->word, FF_ENVOY_IDLE);
	if (!ff_filter_allows(FF_ASK_clone_envoy))
		return false;
	rc = ff_clone(FLAGS, ff_loan_envoy_stack(loan), &e->pid, &e->here,
		      envoy, loan);
	return rc > 0;
}

static void order(struct ff_loan *loan, const ucontext_t *uc, long nr)
{
	struct ff_envoy *e = &loan->envoy;
	int i;

	e->nr = nr;
	for (i = 0; i < FF_ENVOY_ARGS; i++)
		e->args[i] = ff_arg(uc, i);
	e->arrived = ff_take_pending(loan->info);
	atomic_store(&e->word, FF_ENVOY_ORDERED);
	sys(futex, &e->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Until it is gone, has answered, or the borrower's time is over, or somebody
 * wants it to leave: both are told by SIGSYS, which waits meanwhile. */
static enum ff_envoy_word await(struct ff_envoy *e)
{
	enum ff_envoy_word word;
	uint32_t seen;

	for (;;) {
		seen = atomic_load(&e->here);
		word = (enum ff_envoy_word)atomic_load(&e->word);
		if (word != FF_ENVOY_ORDERED)
			return word; /* it may have ended behind its answer */
		if (!seen)
			return FF_ENVOY_GONE;
		if (ff_pending() & FF_SIG(SIGSYS))
			return FF_ENVOY_DISMISSED;
		wait_for(&e->here, seen);
	}
}

bool ff_envoy_is_away(struct ff_envoy *e)
{
	uint32_t seen;

	if (!atomic_load(&e->here))
		return true;
	sys(kill, e->pid, SIGSTOP); /* H-O6 */
	if (!atomic_load(&e->here)) {
		e->was_stopped = true;
		sys(kill, e->pid, SIGCONT);
		return true;
	}
	atomic_store(&e->word, FF_ENVOY_DISMISSED);
	sys(kill, e->pid, SIGKILL);
	while ((seen = atomic_load(&e->here)))
		wait_for(&e->here, seen);
	return false;
}

static const char *take_signal(struct ff_loan *loan)
{
	const struct ff_envoy *e = &loan->envoy;

	loan->arrived |= e->handled;
	loan->info[__builtin_ctzl(e->handled)] = e->info;
	return "has a signal to take";
}

const char *ff_envoy_exec(struct ff_loan *loan, ucontext_t *uc, long nr)
{
	struct ff_envoy *e = &loan->envoy;

	if (loan->arrived)
		return "has a signal to take";
	if (e->is_outdated)
		return "execs in another state than it was refused in";
	if (!e->pid && !make(loan))
		return "has nobody to exec for it";
	order(loan, uc, nr);
	switch (await(e)) {
	case FF_ENVOY_GONE:
		ff_end();
	case FF_ENVOY_REFUSED:
		loan->arrived |= e->arrived;
		ff_set_result(uc, e->rc);
		return NULL;
	case FF_ENVOY_CALLED:
		loan->arrived |= e->arrived;
		return take_signal(loan);
	default:
		break;
	}
	if (ff_envoy_is_away(e))
		ff_end();
	loan->arrived |= e->arrived;
	loan->late = !loan->stopped_by;
	return loan->stopped_by ? "was stopped" : "takes too long";
}

void ff_envoy_is_outdated(struct ff_loan *loan)
{
	loan->envoy.is_outdated |= loan->envoy.pid != 0;
}
