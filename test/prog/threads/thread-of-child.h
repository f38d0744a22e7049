/* Children that make threads, as programs of cases have them. */
#ifndef THREAD_OF_CHILD_H
#define THREAD_OF_CHILD_H

#include "cases.h"

#include <pthread.h>

enum {
	ROUNDS = 3
};

typedef void *thread_function(void *);

static inline pthread_t make(thread_function *function, void *arg)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, function, arg));
	return thread;
}

static inline void *result_of(pthread_t thread)
{
	void *result = NULL;

	CHECK(!pthread_join(thread, &result));
	return result;
}

/* Children at one place, each of which makes one thread and says how it went. */
static inline void in_children(thread_function *function)
{
	pid_t pid;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pid = t_fork();
		if (pid == 0) {
			const char *said =
				result_of(make(function, (void *)"told"));

			t_exec_say("%s", said);
		}
		t_reap(pid, "child");
	}
}

static inline void *return_it(void *arg)
{
	return arg;
}

#endif
