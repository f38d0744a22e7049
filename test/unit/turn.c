/* The turn: one has it, who waits gets it, and it is lost by who keeps it. */
#include "process/turn.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "unit.h"

const char unit_subject[] = "turn";

#define THREADS 6
#define ROUNDS 5000

static atomic_int inside, wrong, taken;

static uint32_t take(void)
{
	struct ff_turn_wait wait = { 0 };
	uint32_t turn;

	while (!(turn = ff_turn_try(&wait)))
		ff_turn_await(&wait);
	return turn;
}

static uint32_t try_once(void)
{
	struct ff_turn_wait wait = { 0 };

	return ff_turn_try(&wait);
}

START_TEST(one_has_it)
{
	uint32_t turn = try_once();

	ck_assert(turn);
	ck_assert(!try_once());
	ff_turn_give(turn);
	ck_assert(try_once());
}
END_TEST

START_TEST(to_wait_for_what_is_free_takes_no_time)
{
	struct ff_turn_wait wait = { 0 };

	ff_turn_await(&wait);
	ck_assert(ff_turn_try(&wait));
}
END_TEST

static void *get_it(void *unused)
{
	(void)unused;
	ff_turn_give(take());
	taken++;
	return NULL;
}

START_TEST(all_who_wait_get_it)
{
	uint32_t turn = take();
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, get_it, NULL);
	usleep(50000);
	ck_assert_int_eq(taken, 0);
	ff_turn_give(turn);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ck_assert_int_eq(taken, THREADS);
}
END_TEST

START_TEST(who_keeps_it_loses_it_and_gives_nothing)
{
	uint32_t kept = take(), turn = take();

	ck_assert_uint_ne(kept, turn);
	ff_turn_give(kept);
	ck_assert(!try_once());
	ff_turn_give(turn);
	ff_turn_give(turn);
	ff_turn_give(kept);
	ck_assert(try_once());
	ck_assert(!try_once());
}
END_TEST

START_TEST(in_a_new_process_nobody_has_it)
{
	ck_assert(take());
	ff_turn_reset();
	ck_assert(try_once());
}
END_TEST

static void *storm(void *unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t turn = take();

		if (atomic_fetch_add(&inside, 1))
			wrong++;
		if (i % 64 == 0)
			usleep(10);
		atomic_fetch_sub(&inside, 1);
		ff_turn_give(turn);
		taken++;
	}
	return NULL;
}

/* That it is taken from one who keeps it for a second is no error. */
START_TEST(in_a_storm_nobody_is_forgotten)
{
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, storm, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ck_assert_int_eq(taken, THREADS * ROUNDS);
	ck_assert(try_once());
	printf("%d met another\n", wrong);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, one_has_it);
	tcase_add_test(tests, to_wait_for_what_is_free_takes_no_time);
	tcase_add_test(tests, all_who_wait_get_it);
	tcase_add_test(tests, who_keeps_it_loses_it_and_gives_nothing);
	tcase_add_test(tests, in_a_new_process_nobody_has_it);
	tcase_add_test(tests, in_a_storm_nobody_is_forgotten);
}
