/*
 * The master of an OpenMP team forks, while the others of it write to sums
 * that lie on its stack, as shared variables do: no write is lost. T_ROUNDS is
 * how many forks.
 *
 * Test: -l openmp-forks-CASE CASE
 */
#include "route.h"

#include <omp.h>
#include <sched.h>
#include <stdatomic.h>

enum {
	LEARNING = 12, /* more than it takes */
	ROUNDS = 60,
	TEAM = 3,
};

CASE(sums)
{
	long sums[TEAM] = { 0 }, lost = 0;
	atomic_bool stop = false;

#pragma omp parallel num_threads(TEAM) reduction(+ : lost)
	{
		int self = omp_get_thread_num();
		volatile long *sum = &sums[self];
		long n = 0;

		if (self == 0)
			CHECK(omp_get_num_threads() == TEAM);
#pragma omp barrier
		if (self == 0) {
			rounds(LEARNING + rounds_or(ROUNDS));
			atomic_store(&stop, true);
		}
		for (; !atomic_load(&stop); n++)
			++*sum;
		lost += n - *sum;
	}
	printf("lost %ld\n", lost);
}

/* As the runtime itself does: chunks of a loop are handed out. What its other
 * threads write while a child is looked at could be the child's, so that is
 * over before. */
CASE(dynamic)
{
	const int n[] = { LEARNING, rounds_or(ROUNDS) };
	atomic_bool learnt = false;
	long items = 0, done = 0;

#pragma omp parallel num_threads(TEAM) reduction(+ : done)
	{
		for (volatile int i = 0; omp_get_thread_num() == 0 && i < 2;
		     i++) {
			rounds(n[i]);
			atomic_store(&learnt, true);
		}
		while (!atomic_load(&learnt))
			sched_yield();
#pragma omp for schedule(dynamic, 1)
		for (long i = 0; i < 1000; i++) {
#pragma omp atomic
			items++;
			done++;
		}
	}
	printf("items %ld, done %ld\n", items, done);
}

CASES_MAIN
