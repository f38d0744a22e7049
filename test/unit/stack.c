/* Stacks are kept, are never two children's at once, and end in a guard. */
#include "spawn/parent/stack.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn/child/child.h"
#include "unit.h"

const char unit_subject[] = "stack";

#define MANY 100
#define THREADS 8
#define ROUNDS 5000

static void *take(void)
{
	void *top = NULL;

	return ff_stack_take(&top) ? NULL : top;
}

START_TEST(the_same_stack_comes_back)
{
	void *top = take();

	ck_assert_ptr_nonnull(top);
	ck_assert_uint_eq((uintptr_t)top % 16, 0);
	memset((char *)top - FF_CHILD_STACK_BYTES, 1, FF_CHILD_STACK_BYTES);
	ff_stack_put(top);
	ck_assert_ptr_eq(take(), top);
}
END_TEST

START_TEST(more_than_are_kept_can_be_taken)
{
	void *top[MANY];
	int i, j;

	for (i = 0; i < MANY; i++) {
		top[i] = take();
		ck_assert_ptr_nonnull(top[i]);
		for (j = 0; j < i; j++)
			ck_assert_ptr_ne(top[i], top[j]);
	}
	for (i = 0; i < MANY; i++)
		ff_stack_put(top[i]);
}
END_TEST

START_TEST(below_it_is_a_guard_page)
{
	volatile char *top = take();
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		top[-FF_CHILD_STACK_BYTES - 1] = 1;
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
}
END_TEST

static _Atomic int clashes;

static void *take_and_put(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		_Atomic(pthread_t) *mine = (void *)((char *)take() - 64);

		atomic_store(mine, pthread_self());
		if (i % 16 == 0)
			sched_yield();
		if (!pthread_equal(atomic_load(mine), pthread_self()))
			clashes++;
		ff_stack_put((char *)mine + 64);
	}
	return NULL;
}

START_TEST(no_two_threads_have_one)
{
	pthread_t thread[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, take_and_put,
						NULL),
				 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ck_assert_int_eq(clashes, 0);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, the_same_stack_comes_back);
	tcase_add_test(tests, more_than_are_kept_can_be_taken);
	tcase_add_test(tests, below_it_is_a_guard_page);
	tcase_add_test(tests, no_two_threads_have_one);
}
