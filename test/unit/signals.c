/* Signal masks kept in memory, and which pending signals count. */
#include "host/signals.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "unit.h"

const char unit_subject[] = "signals";

#define ROUNDS 20000
#define UNTOUCHED 0x5a5a5a5a5a5a5a5aU

static ff_sigset some_set(unsigned *seed)
{
	ff_sigset set = 0;

	for (int i = 0; i < 3; i++)
		set = set << 22 ^ (ff_sigset)rand_r(seed);
	return set;
}

/* Mostly @good; else none, or one that the kernel can't read, nor write. */
static ff_sigset *any_pointer(unsigned *seed, ff_sigset *good)
{
	switch (rand_r(seed) % 8) {
	case 0:
	case 1:
		return NULL;
	case 2:
		return (ff_sigset *)(uintptr_t)(rand_r(seed) % 4096);
	default:
		return good;
	}
}

/* The same call on the memory and on the thread: the kernel is the oracle. */
static void change_both(ff_sigset *mask, unsigned *seed)
{
	static const int hows[] = { SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK,
				    SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK,
				    -1,	       3,	    77 };
	static const long sizes[] = { 8, 8, 8, 8, 8, 8, 8, 4, 16, 0 };
	int how = hows[rand_r(seed) % 9];
	long size = sizes[rand_r(seed) % 10], want, got;
	ff_sigset set = some_set(seed), *set_at = any_pointer(seed, &set);
	ff_sigset old = UNTOUCHED, kernel_old = UNTOUCHED, now = 0;
	ff_sigset *old_at = any_pointer(seed, &old);

	want = sys(rt_sigprocmask, how, set_at,
		   old_at == &old ? &kernel_old : old_at, size);
	got = ff_change_mask(mask, how, set_at, old_at, size);
	sys(rt_sigprocmask, SIG_BLOCK, NULL, &now, sizeof(now));
	ck_assert_int_eq(got, want);
	ck_assert_uint_eq(old, kernel_old);
	ck_assert_uint_eq(*mask, now);
}

START_TEST(a_mask_in_memory_changes_as_the_kernels_does)
{
	unsigned seed = (unsigned)_i + 1;
	ff_sigset before = ff_setmask(0), mask = 0;

	for (int i = 0; i < ROUNDS; i++)
		change_both(&mask, &seed);
	ff_setmask(before);
}
END_TEST

START_TEST(the_set_and_the_old_mask_may_be_one_variable)
{
	ff_sigset mask = FF_SIG(SIGHUP), set = FF_SIG(SIGINT);

	ck_assert_int_eq(ff_change_mask(&mask, SIG_SETMASK, &set, &set, 8), 0);
	ck_assert_uint_eq(mask, FF_SIG(SIGINT));
	ck_assert_uint_eq(set, FF_SIG(SIGHUP));
}
END_TEST

START_TEST(an_old_mask_that_may_not_be_written_changes_the_mask)
{
	static const ff_sigset constant = FF_SIG(SIGINT);
	ff_sigset mask = FF_SIG(SIGHUP);

	ck_assert_int_eq(ff_change_mask(&mask, SIG_SETMASK, &constant,
					(ff_sigset *)&constant, 8),
			 -EFAULT);
	ck_assert_uint_eq(mask, FF_SIG(SIGINT));
}
END_TEST

START_TEST(setting_a_mask_gives_the_one_before)
{
	ff_sigset before = ff_setmask(FF_SIG(SIGHUP) | FF_SIG(64));

	ck_assert_uint_eq(ff_setmask(before), FF_SIG(SIGHUP) | FF_SIG(64));
	ck_assert_uint_eq(ff_setmask(before), before);
}
END_TEST

static void never_called(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
	abort();
}

enum disposition {
	DEFAULT,
	IGNORED,
	HANDLED,
};

static void dispose(int sig, enum disposition how)
{
	struct ff_sigaction act = {
		.flags = SA_SIGINFO | FF_SA_RESTORER,
		.restorer = ff_sigreturn,
	};

	if (how == HANDLED)
		act.handler = never_called;
	else if (how == IGNORED)
		*(void **)&act.handler = (void *)SIG_IGN;
	ck_assert_int_eq(sys(rt_sigaction, sig, &act, NULL, 8), 0);
	ck_assert(ff_is_handler(&act) == (how == HANDLED));
}

static void send(int sig, bool to_thread)
{
	if (to_thread)
		sys(tgkill, ff_getpid(), ff_gettid(), sig);
	else
		sys(kill, ff_getpid(), sig);
	ck_assert(ff_pending() & FF_SIG(sig));
}

/* Becoming ignored empties the queue. */
static void drop(int sig)
{
	dispose(sig, IGNORED);
	ck_assert_uint_eq(ff_pending(), 0);
	dispose(sig, DEFAULT);
}

static bool is_ignored_by_default(int sig)
{
	return sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH ||
	       sig == SIGCONT;
}

START_TEST(a_pending_signal_waits_unless_blocked_or_ignored)
{
	int sig = _i;

	if (FF_SIG(sig) & FF_UNBLOCKABLE)
		return;
	ff_setmask(~(ff_sigset)0);
	for (int how = DEFAULT; how <= HANDLED; how++) {
		bool waits = how == HANDLED ||
			     (how == DEFAULT && !is_ignored_by_default(sig));

		for (int to_thread = 0; to_thread <= 1; to_thread++) {
			dispose(sig, (enum disposition)how);
			ck_assert(!ff_signal_waits(0));
			send(sig, to_thread);
			ck_assert(ff_signal_waits(0) == waits);
			ck_assert(ff_signal_waits(~FF_SIG(sig)) == waits);
			ck_assert(!ff_signal_waits(FF_SIG(sig)));
			ck_assert(!ff_signal_waits(~(ff_sigset)0));
			drop(sig);
			ck_assert(!ff_signal_waits(0));
		}
	}
}
END_TEST

START_TEST(one_signal_that_counts_among_others_is_found)
{
	ff_setmask(~(ff_sigset)0);
	dispose(SIGHUP, IGNORED);
	dispose(SIGUSR2, HANDLED);
	send(SIGHUP, false);
	send(SIGCHLD, false);
	send(SIGWINCH, true);
	ck_assert(!ff_signal_waits(0));
	send(SIGUSR2, true);
	ck_assert(ff_signal_waits(0));
	ck_assert(ff_signal_waits(FF_SIG(SIGHUP) | FF_SIG(SIGCHLD)));
	ck_assert(!ff_signal_waits(FF_SIG(SIGUSR2)));
}
END_TEST

START_TEST(flags_are_those_that_mean_something)
{
	/* as libc hands them on: an int, which is negative */
	struct ff_sigaction act = {
		.flags = (unsigned long)(int)(SA_RESETHAND | SA_NODEFER),
		.mask = ~(ff_sigset)0,
	};

	ck_assert(ff_normalize_action(&act));
	ck_assert_uint_eq(act.flags, (unsigned)(SA_RESETHAND | SA_NODEFER));
	ck_assert_uint_eq(act.mask, ~FF_UNBLOCKABLE);
	act.flags = SA_INTERRUPT | SA_RESTART;
	ck_assert(ff_normalize_action(&act));
	ck_assert_uint_eq(act.flags, SA_RESTART);
	act.flags = 0x4000;
	ck_assert(!ff_normalize_action(&act));
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_loop_test(tests, a_mask_in_memory_changes_as_the_kernels_does,
			    0, 4);
	tcase_add_test(tests, the_set_and_the_old_mask_may_be_one_variable);
	tcase_add_test(tests,
		       an_old_mask_that_may_not_be_written_changes_the_mask);
	tcase_add_test(tests, setting_a_mask_gives_the_one_before);
	tcase_add_loop_test(
		tests, a_pending_signal_waits_unless_blocked_or_ignored, 1, 65);
	tcase_add_test(tests, one_signal_that_counts_among_others_is_found);
	tcase_add_test(tests, flags_are_those_that_mean_something);
}
