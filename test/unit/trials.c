/* Trials: counted, forbidden for good, and waited for. */
#include "process/trials.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "unit.h"

const char unit_subject[] = "trials";

#define THREADS 4

static atomic_int under_way, most, stop;
static atomic_bool forbidden;

START_TEST(trials_may_overlap)
{
	for (int i = 0; i < 100; i++)
		ck_assert(ff_trial_begin());
	for (int i = 0; i < 100; i++)
		ff_trial_end();
	ck_assert(ff_trial_begin());
}
END_TEST

START_TEST(with_none_under_way_forbidding_does_not_wait)
{
	ck_assert(ff_trial_begin());
	ff_trial_end();
	ff_trials_forbid();
	ck_assert(!ff_trial_begin());
	ff_trials_forbid();
	ck_assert(!ff_trial_begin());
}
END_TEST

START_TEST(a_new_process_forgets_trials_but_not_that_they_are_forbidden)
{
	ck_assert(ff_trial_begin());
	ff_trials_reset();
	ff_trials_forbid(); /* would wait for the trial */
	ff_trials_reset();
	ck_assert(!ff_trial_begin());
}
END_TEST

static void *try(void *unused)
{
	int now, seen;

	(void)unused;
	while (!stop) {
		if (!ff_trial_begin())
			break;
		now = atomic_fetch_add(&under_way, 1) + 1;
		seen = most;
		while (seen < now &&
		       !atomic_compare_exchange_weak(&most, &seen, now))
			;
		if (forbidden)
			stop = 2;
		atomic_fetch_sub(&under_way, 1);
		ff_trial_end();
	}
	return NULL;
}

/* Forbid in the middle of a storm: after it none is under way or begins. */
START_TEST(forbidding_waits_for_those_under_way)
{
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, try, NULL);
	while (most == 0)
		usleep(100);
	usleep(1000U * (unsigned)_i);
	ff_trials_forbid();
	ck_assert_int_eq(under_way, 0);
	forbidden = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ck_assert_int_ne(stop, 2);
	ck_assert(!ff_trial_begin());
}
END_TEST

static void *forbid(void *unused)
{
	(void)unused;
	ff_trials_forbid();
	forbidden = true;
	return NULL;
}

START_TEST(one_trial_alone_is_waited_for)
{
	pthread_t thread[2];

	ck_assert(ff_trial_begin());
	ck_assert(ff_trial_begin());
	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, forbid, NULL);
	while (ff_trial_begin())
		ff_trial_end();
	ff_trial_end();
	usleep(20000);
	ck_assert(!forbidden);
	ff_trial_end();
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	ck_assert(forbidden);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, trials_may_overlap);
	tcase_add_test(tests, with_none_under_way_forbidding_does_not_wait);
	tcase_add_test(
		tests,
		a_new_process_forgets_trials_but_not_that_they_are_forbidden);
	tcase_add_loop_test(tests, forbidding_waits_for_those_under_way, 0, 5);
	tcase_add_test(tests, one_trial_alone_is_waited_for);
}
