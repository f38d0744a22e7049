/* The gate: marks and real forks exclude each other, whoever comes. */
#include "lazy/gate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "unit.h"

const char unit_subject[] = "gate";

#define THREADS 6
#define ROUNDS 20000

static atomic_int marks, reals, wrong, marked, refused, both_real;
static atomic_bool inside;

START_TEST(real_forks_may_overlap)
{
	ff_gate_enter_real();
	ff_gate_enter_real();
	ff_gate_leave_real();
	ck_assert(!ff_gate_try_lazy());
	ff_gate_leave_real();
	ck_assert(ff_gate_try_lazy());
}
END_TEST

START_TEST(a_lazy_fork_does_not_wait_for_real_ones)
{
	ff_gate_enter_real();
	for (int i = 0; i < 3; i++)
		ck_assert(!ff_gate_try_lazy());
	ff_gate_leave_real();
	for (int i = 0; i < 3; i++) {
		ck_assert(ff_gate_try_lazy());
		ff_gate_leave_lazy();
	}
}
END_TEST

START_TEST(a_new_process_finds_it_open)
{
	ff_gate_enter_real();
	ff_gate_enter_real();
	ff_gate_reset();
	ck_assert(ff_gate_try_lazy());
	ff_gate_reset();
	ff_gate_enter_real();
	ff_gate_leave_real();
	ck_assert(ff_gate_try_lazy());
}
END_TEST

static void *enter_real(void *unused)
{
	(void)unused;
	ff_gate_enter_real();
	inside = true;
	ff_gate_leave_real();
	return NULL;
}

static void *enter_lazy(void *unused)
{
	(void)unused;
	if (ff_gate_try_lazy()) {
		inside = true;
		ff_gate_leave_lazy();
	}
	return NULL;
}

START_TEST(while_marks_stand_everybody_waits)
{
	pthread_t thread;

	ck_assert(ff_gate_try_lazy());
	pthread_create(&thread, NULL, _i ? enter_real : enter_lazy, NULL);
	usleep(20000);
	ck_assert(!inside);
	ff_gate_leave_lazy();
	pthread_join(thread, NULL);
	ck_assert(inside);
}
END_TEST

static void mark(void)
{
	if (!ff_gate_try_lazy()) {
		refused++;
		return;
	}
	if (atomic_fetch_add(&marks, 1) || reals)
		wrong++;
	marked++;
	atomic_fetch_sub(&marks, 1);
	ff_gate_leave_lazy();
}

static void fork_for_real(void)
{
	ff_gate_enter_real();
	if (atomic_fetch_add(&reals, 1))
		both_real++;
	if (marks)
		wrong++;
	atomic_fetch_sub(&reals, 1);
	ff_gate_leave_real();
}

static void *storm(void *arg)
{
	unsigned long x = (unsigned long)arg + 1;

	for (int i = 0; i < ROUNDS; i++) {
		x = x * 6364136223846793005U + 1442695040888963407U;
		if (x >> 33 & 1)
			mark();
		else
			fork_for_real();
	}
	return NULL;
}

START_TEST(in_a_storm_marks_and_real_forks_never_meet)
{
	pthread_t thread[THREADS];

	for (unsigned long i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, storm, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ck_assert_int_eq(wrong, 0);
	ck_assert_int_gt(marked, 0);
	ck_assert(ff_gate_try_lazy()); /* nobody is left in it */
	printf("%d marked, %d refused, %d real forks overlapped\n", marked,
	       refused, both_real);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, real_forks_may_overlap);
	tcase_add_test(tests, a_lazy_fork_does_not_wait_for_real_ones);
	tcase_add_test(tests, a_new_process_finds_it_open);
	tcase_add_loop_test(tests, while_marks_stand_everybody_waits, 0, 2);
	tcase_add_test(tests, in_a_storm_marks_and_real_forks_never_meet);
}
