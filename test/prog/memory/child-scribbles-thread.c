/*
 * The same for a fork on a thread's stack and one in a coroutine's heap
 * block: the child overwrites its callers' frames there and execs. The
 * stack the caller stands on is itself inside a big area.
 *
 * Test: -l
 */
#include "t.h"

#include <pthread.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum {
	DEEP = 1 << 20
};

static __attribute__((noinline)) void forks_deep(const char *what)
{
	volatile char frame[DEEP];
	uint64_t before;
	pid_t pid;

	for (size_t i = 0; i < DEEP; i++)
		frame[i] = (char)(i * 31);
	before = t_hash(T_HASH0, (char *)frame, DEEP);
	pid = t_fork();
	if (pid == 0) {
		CHECK(t_hash(T_HASH0, (char *)frame, DEEP) == before);
		memset((char *)frame, 0xee, DEEP);
		t_exec_exit(frame[77] == (char)0xee ? 11 : 12);
	}
	CHECK(t_hash(T_HASH0, (char *)frame, DEEP) == before);
	t_reap(pid, what);
}

static void *in_thread(void *arg)
{
	forks_deep(arg);
	return NULL;
}

static ucontext_t back, context;

static void in_context(void)
{
	forks_deep("context on the heap");
}

int main(void)
{
	pthread_t thread;
	static char stack[4 << 20];

	t_start(64);
	forks_deep("main stack");
	CHECK(!pthread_create(&thread, NULL, in_thread, "thread"));
	pthread_join(thread, NULL);
	getcontext(&context);
	context.uc_stack.ss_sp = t_area;
	context.uc_stack.ss_size = 8 << 20;
	context.uc_link = &back;
	makecontext(&context, in_context, 0);
	swapcontext(&back, &context);
	t_fill(t_area, 8 << 20);
	getcontext(&context);
	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = sizeof(stack);
	context.uc_link = &back;
	makecontext(&context, in_context, 0);
	swapcontext(&back, &context);
	return t_end();
}
