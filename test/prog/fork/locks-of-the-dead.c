/*
 * Robust and shared mutexes across fork and exec: a child that takes one in
 * shared memory and execs (or ends) leaves it to the next owner with
 * EOWNERDEAD, one the parent holds stays the parent's, and a lock the child
 * gives back before exec is free.
 *
 * Test:
 */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

static struct page {
	pthread_mutex_t taken, held, freed;
} * shared;

static void init(pthread_mutex_t *m)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	CHECK(!pthread_mutex_init(m, &attr));
}

int main(void)
{
	t_start(64);
	for (int how = 0; how < 3; how++) {
		int held;
		pid_t pid;

		shared = t_shared(4096);
		init(&shared->taken);
		init(&shared->held);
		init(&shared->freed);
		CHECK(!pthread_mutex_lock(&shared->held));
		pid = t_fork();
		if (pid == 0) {
			int code = 1;

			t_area[77] = 1;
			code += 2 * !pthread_mutex_lock(&shared->taken);
			code += 4 * !pthread_mutex_lock(&shared->freed);
			code += 8 * !pthread_mutex_unlock(&shared->freed);
			code += 16 *
				(pthread_mutex_trylock(&shared->held) == EBUSY);
			if (how == 0)
				t_exec_exit(code);
			if (how == 1)
				_exit(code);
			execl("/nowhere", "x", (char *)NULL);
			_exit(code);
		}
		t_reap(pid, "child");
		held = pthread_mutex_unlock(&shared->held);
		printf("taken %d, held %d, freed %d\n",
		       pthread_mutex_lock(&shared->taken), held,
		       pthread_mutex_lock(&shared->freed));
		CHECK(!pthread_mutex_consistent(&shared->taken));
		CHECK(!pthread_mutex_unlock(&shared->taken));
		CHECK(!pthread_mutex_unlock(&shared->freed));
	}
	return t_end();
}
