/*
 * A thread writes one growing number to many pages, over and over, in order
 * of their addresses; so at any instant the numbers fall along the pages, by
 * one at most. A child that looks at them, late and slowly, must find an
 * instant: that of its fork. Under a plain fork a write lands in the copy or
 * waits for its end. Two areas and the heap; children exec or end.
 */
#include "t.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PAGES = 1024,
	FORKS = 40
};

static volatile int done;
static volatile unsigned *page[PAGES];

static void *writer(void *arg)
{
	(void)arg;
	for (unsigned n = 1; !done; n++)
		for (int i = 0; i < PAGES; i++)
			*page[i] = n;
	return NULL;
}

/* How many pages break the order; looked at from the end or the start. */
static int broken(int from_end)
{
	unsigned v[PAGES];
	int bad = 0;

	for (int k = 0; k < PAGES; k++) {
		int i = from_end ? PAGES - 1 - k : k;

		v[i] = *page[i];
		if (k % 256 == 0)
			for (volatile int spin = 0; spin < 100000; spin++)
				;
	}
	for (int i = 1; i < PAGES; i++)
		bad += v[i] > v[i - 1] || v[i] + 1 < v[0];
	return bad;
}

int main(void)
{
	pthread_t thread;
	int bad = 0, odd = 0;
	char *area, *heap;

	t_start(64);
	area = t_anon(PAGES / 2 * 4096);
	heap = malloc(PAGES / 2 * 4096 + 4096);
	CHECK(heap);
	for (int i = 0; i < PAGES; i++)
		page[i] = (unsigned *)((i % 2 ? area : heap) + i / 2 * 4096);
	for (int i = 0; i < PAGES; i++)
		*page[i] = 0;
	CHECK(!pthread_create(&thread, NULL, writer, NULL));
	for (int i = 0; i < FORKS; i++) {
		int status;
		pid_t pid = t_fork();

		if (pid == 0) {
			int wrong = broken(i & 1) != 0;

			if (i % 8 == 7)
				_exit(wrong);
			t_exec_exit(wrong);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		bad += status == 1 << 8;
		odd += status != 0 && status != 1 << 8;
	}
	done = 1;
	pthread_join(thread, NULL);
	printf("%d of %d children saw a mixture, %d ended otherwise\n", bad,
	       FORKS, odd);
	return t_end();
}
