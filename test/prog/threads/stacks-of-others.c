/*
 * Threads with much on their stacks and with little, of the usual size, come and
 * go between forks, and stand still while one is made. Each child finds on all
 * stacks what their threads have written there, writes over it, and execs.
 *
 * Test: -l -t 120
 */
#include "t.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	THREADS = 24,
	ROUNDS = 40,
	STACK_BYTES = 8 << 20,
	MUCH = 6 << 20,
	LITTLE = 3000
};

static struct stack {
	pthread_t thread;
	pthread_barrier_t filled, over;
	unsigned char *at, what;
	size_t bytes;
} stack[THREADS];

static void *stand(void *arg)
{
	struct stack *s = arg;
	unsigned char on_stack[s->bytes];

	memset(on_stack, s->what, s->bytes);
	s->at = on_stack;
	pthread_barrier_wait(&s->filled);
	pthread_barrier_wait(&s->over);
	for (size_t i = 0; i < s->bytes; i++)
		if (s->at[i] != s->what)
			return "its child has changed it";
	return NULL;
}

static void begin(struct stack *s, unsigned number)
{
	pthread_attr_t attr;

	s->what = (unsigned char)(number % 251 + 1);
	s->bytes = number % 5 ? LITTLE : MUCH;
	pthread_barrier_init(&s->filled, NULL, 2);
	pthread_barrier_init(&s->over, NULL, 2);
	pthread_attr_init(&attr);
	CHECK(!pthread_attr_setstacksize(&attr, STACK_BYTES));
	CHECK(!pthread_create(&s->thread, &attr, stand, s));
	pthread_barrier_wait(&s->filled);
}

static int end(struct stack *s)
{
	void *wrong;

	pthread_barrier_wait(&s->over);
	CHECK(!pthread_join(s->thread, &wrong));
	pthread_barrier_destroy(&s->filled);
	pthread_barrier_destroy(&s->over);
	return wrong != NULL;
}

static int look(void)
{
	for (unsigned i = 0; i < THREADS; i++) {
		for (size_t at = 0; at < stack[i].bytes; at += 997)
			if (stack[i].at[at] != stack[i].what)
				return 1;
		memset(stack[i].at, 0, LITTLE);
	}
	return 7;
}

int main(void)
{
	unsigned number = 0;
	int status, wrong = 0;
	pid_t pid;

	t_start(32);
	for (unsigned i = 0; i < THREADS; i++)
		begin(&stack[i], number++);
	for (unsigned round = 0; round < ROUNDS; round++) {
		pid = t_fork();
		if (pid == 0)
			t_exec_exit(look());
		CHECK(waitpid(pid, &status, 0) == pid);
		wrong += status != 7 << 8;
		for (unsigned i = 0; i < 3; i++) {
			struct stack *s = &stack[(round * 3 + i) % THREADS];

			wrong += end(s);
			begin(s, number++);
		}
	}
	for (unsigned i = 0; i < THREADS; i++)
		wrong += end(&stack[i]);
	printf("%d wrong\n", wrong);
	return t_end();
}
