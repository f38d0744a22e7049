/* The gate: marks exclude real forks and moves, whoever comes. */
#include "process/gate.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/identity.h"
#include "unit.h"

const char unit_subject[] = "gate";

#define THREADS 6
#define ROUNDS 20000

static atomic_int marks, others, wrong, marked, refused, overlapped;
static atomic_bool inside;

START_TEST(real_forks_may_overlap)
{
	ff_gate_enter_real();
	ff_gate_enter_real();
	ff_gate_leave_real();
	ck_assert(!ff_gate_try_lazy(0));
	ff_gate_leave_real();
	ck_assert(ff_gate_try_lazy(0));
}
END_TEST

START_TEST(a_lazy_fork_waits_for_real_ones_only_so_long)
{
	ff_gate_enter_real();
	for (int i = 0; i < 3; i++)
		ck_assert(!ff_gate_try_lazy(i * 1000 * 1000));
	ff_gate_leave_real();
	for (int i = 0; i < 3; i++) {
		ck_assert(ff_gate_try_lazy(0));
		ff_gate_leave_lazy();
	}
}
END_TEST

static void *leave_real(void *unused)
{
	(void)unused;
	usleep(20000);
	ff_gate_leave_real();
	return NULL;
}

START_TEST(who_waits_for_real_forks_learns_of_their_end)
{
	pthread_t thread;

	ff_gate_enter_real();
	pthread_create(&thread, NULL, leave_real, NULL);
	ck_assert(ff_gate_try_lazy((int64_t)3600 * 1000000000));
	pthread_join(thread, NULL);
}
END_TEST

START_TEST(they_are_given_up_until_the_last_has_ended)
{
	ff_gate_enter_real();
	ff_gate_enter_real();
	ff_gate_give_up();
	ff_gate_leave_real();
	ck_assert(ff_gate_is_given_up());
	ff_gate_leave_real();
	ck_assert(!ff_gate_is_given_up());
}
END_TEST

START_TEST(a_new_process_finds_it_open)
{
	ff_gate_enter_real();
	ff_gate_enter_real();
	ff_gate_reset();
	ck_assert(ff_gate_try_lazy(0));
	ff_gate_reset();
	ff_gate_enter_real();
	ff_gate_leave_real();
	ck_assert(ff_gate_try_lazy(0));
}
END_TEST

START_TEST(a_move_that_does_not_end_is_not_waited_for)
{
	ff_gate_enter_move();
	ck_assert(!ff_gate_try_lazy(0));
	ff_gate_enter_move(); /* nothing is left of the try */
	ff_gate_leave_move();
	ff_gate_leave_move();
	ck_assert(ff_gate_try_lazy(0));
}
END_TEST

START_TEST(a_copy_does_not_wait_for_marks_of_its_parent)
{
	int status;
	pid_t pid;

	ck_assert(ff_identity_take_to_fork());
	ff_identity_take();
	ck_assert(ff_gate_try_lazy(0));
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		alarm(10);
		ff_gate_enter_move();
		ff_gate_leave_move();
		ff_gate_enter_real();
		ff_gate_leave_real();
		_exit(ff_gate_try_lazy(0) ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ff_gate_leave_lazy();
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

static void *enter_move(void *unused)
{
	(void)unused;
	ff_gate_enter_move();
	inside = true;
	ff_gate_leave_move();
	return NULL;
}

static void *enter_lazy(void *unused)
{
	(void)unused;
	if (ff_gate_try_lazy(0)) {
		inside = true;
		ff_gate_leave_lazy();
	}
	return NULL;
}

START_TEST(while_marks_stand_everybody_waits)
{
	static void *(*const enter[])(void *) = { enter_lazy, enter_real,
						  enter_move };
	pthread_t thread;

	ck_assert(ff_gate_try_lazy(0));
	pthread_create(&thread, NULL, enter[_i], NULL);
	usleep(20000);
	ck_assert(!inside);
	ff_gate_leave_lazy();
	pthread_join(thread, NULL);
	ck_assert(inside);
}
END_TEST

static void mark(void)
{
	if (!ff_gate_try_lazy(0)) {
		refused++;
		return;
	}
	if (atomic_fetch_add(&marks, 1) || others)
		wrong++;
	marked++;
	atomic_fetch_sub(&marks, 1);
	ff_gate_leave_lazy();
}

static void pass(void (*enter)(void), void (*leave)(void))
{
	enter();
	if (atomic_fetch_add(&others, 1))
		overlapped++;
	if (marks)
		wrong++;
	atomic_fetch_sub(&others, 1);
	leave();
}

static void *storm(void *arg)
{
	unsigned long x = (unsigned long)arg + 1;

	for (int i = 0; i < ROUNDS; i++) {
		x = x * 6364136223846793005U + 1442695040888963407U;
		if (x >> 33 & 1)
			mark();
		else if (x >> 34 & 1)
			pass(ff_gate_enter_real, ff_gate_leave_real);
		else
			pass(ff_gate_enter_move, ff_gate_leave_move);
	}
	return NULL;
}

static bool is_clean;

static bool try_to_clean(void)
{
	return is_clean;
}

START_TEST(what_is_left_of_marks_is_known_until_it_is_swept)
{
	ck_assert(ff_gate_sweep()); /* nobody has marked */
	ff_gate_swept_by(try_to_clean);
	ff_gate_note_unclean();
	ck_assert(ff_gate_is_unclean());
	ck_assert(!ff_gate_sweep());
	ck_assert(ff_gate_is_unclean());
	is_clean = true;
	ck_assert(ff_gate_sweep());
	ck_assert(!ff_gate_is_unclean());
}
END_TEST

START_TEST(in_a_storm_marks_meet_nobody)
{
	pthread_t thread[THREADS];

	for (unsigned long i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, storm, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ck_assert_int_eq(wrong, 0);
	ck_assert_int_gt(marked, 0);
	ck_assert(ff_gate_try_lazy(0)); /* nobody is left in it */
	printf("%d marked, %d refused, %d others overlapped\n", marked, refused,
	       overlapped);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, real_forks_may_overlap);
	tcase_add_test(tests, a_lazy_fork_waits_for_real_ones_only_so_long);
	tcase_add_test(tests, who_waits_for_real_forks_learns_of_their_end);
	tcase_add_test(tests, they_are_given_up_until_the_last_has_ended);
	tcase_add_test(tests, a_new_process_finds_it_open);
	tcase_add_test(tests, a_move_that_does_not_end_is_not_waited_for);
	tcase_add_test(tests, a_copy_does_not_wait_for_marks_of_its_parent);
	tcase_add_loop_test(tests, while_marks_stand_everybody_waits, 0, 3);
	tcase_add_test(tests, what_is_left_of_marks_is_known_until_it_is_swept);
	tcase_add_test(tests, in_a_storm_marks_meet_nobody);
}
