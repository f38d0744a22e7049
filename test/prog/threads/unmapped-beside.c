/*
 * Children of one place write to a thread of their parent and exec: again and
 * again, so that the place is known for it. Then the thread unmaps memory that
 * the child, which gives it some time, has not looked at yet. It finds it as it
 * was.
 *
 * Test: -e FLATFORK_FORK=auto -e FLATFORK_MIN_RSS=1M -e FLATFORK_LEND=off
 *       unmapped-beside
 */
#include "t.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FORKS = 24,
	BYTES = 8 << 20,
};

static int question[2];
static unsigned char *memory;

static void *listen_to_all(void *arg)
{
	char c;

	while (read(question[0], &c, 1) == 1)
		if (c == 'u')
			CHECK(!munmap(memory, BYTES));
	return arg;
}

int main(void)
{
	pthread_t thread;

	t_start(64);
	CHECK(!pipe(question));
	memory = (unsigned char *)t_anon(BYTES);
	t_fill(memory, BYTES);
	CHECK(!pthread_create(&thread, NULL, listen_to_all, NULL));
	for (int i = 0; i < FORKS; i++) {
		bool last = i == FORKS - 1;
		pid_t pid = t_fork();

		if (pid == 0) {
			char c = last ? 'u' : '-';

			CHECK(write(question[1], &c, 1) == 1);
			if (!last)
				t_exec_exit(7);
			usleep(30000);
			t_exec_say("as it was: %d", t_intact(memory, BYTES));
		}
		t_reap(pid, "child");
	}
	close(question[1]);
	pthread_join(thread, NULL);
	CHECK(!close(question[0]));
	return t_end();
}
