/*
 * A program that has to do with forks before libc has begun, as sanitizers
 * have: it registers handlers, which run once, and what was asked for in the
 * environment is done all the same.
 *
 * Test: -l
 */
#include "t.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static int before, after;

static void count_before(void)
{
	before++;
}

static void count_after(void)
{
	after++;
}

static void begin(void)
{
	if (pthread_atfork(count_before, count_after, count_after))
		before = -100;
}

__attribute__((section(".preinit_array"),
	       used)) static void (*const first)(void) = begin;

int main(void)
{
	t_start(32);
	for (int i = 0; i < 4; i++) {
		pid_t pid = t_fork();

		if (pid == 0)
			t_exec_say("exec'ed");
		t_reap(pid, "child");
	}
	printf("handlers: %d before, %d after\n", before, after);
	return t_end();
}
