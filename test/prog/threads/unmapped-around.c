/*
 * A child that has written, and so is not taken back, looks at memory for the
 * first time whose neighbours another thread of its parent has unmapped since.
 * It finds it as it was.
 *
 * Test: -g "lazy, committed: child exec'ed" -b 20000 -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=commit-all unmapped-around
 */
#include "t.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FORKS = 6,
	KIB = 1 << 10,
	BYTES = 4 << 20,
	OWN = 2 << 20, /* what is left of it begins here, in a 64 KiB cluster */
};

static int question[2];
static volatile int *answer;
static unsigned char *memory, *own;

static void *listen_to_all(void *arg)
{
	char c;

	while (read(question[0], &c, 1) == 1) {
		CHECK(!munmap(memory, (size_t)(own - memory)));
		*answer = 1;
	}
	return arg;
}

int main(void)
{
	pthread_t thread;

	t_start(32);
	CHECK(!pipe(question));
	answer = t_shared(sizeof(*answer));
	CHECK(!pthread_create(&thread, NULL, listen_to_all, NULL));
	for (int i = 0; i < FORKS; i++) {
		pid_t pid;

		memory = (unsigned char *)t_anon(BYTES);
		own = (unsigned char *)(((uintptr_t)memory + OWN) &
					~(uintptr_t)(64 * KIB - 1)) +
		      20 * KIB;
		t_fill(own, 8 * KIB);
		*answer = 0;
		pid = t_fork();
		if (pid == 0) {
			CHECK(write(question[1], "u", 1) == 1);
			while (!*answer)
				;
			t_exec_say("as it was: %d", t_intact(own, 8 * KIB));
		}
		t_reap(pid, "child");
		CHECK(!munmap(own, (size_t)(memory + BYTES - own)));
	}
	close(question[1]);
	pthread_join(thread, NULL);
	CHECK(!close(question[0]));
	return t_end();
}
