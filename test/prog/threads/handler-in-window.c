/*
 * Handlers of the parent's other threads and its own timers go on while it
 * forks; what they do to memory is not the child's business once it has
 * looked: its copy does not move any more, and nothing of theirs is lost.
 *
 * Test:
 */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FORKS = 40,
	APART = 25000
};

/* far from each other, in areas a child may be without */
static volatile unsigned *first, *second;
static volatile unsigned place; /* another one for every child */
static pthread_t target;
static volatile int done;

static void on_usr1(int sig)
{
	unsigned at = place; /* it moves */

	(void)sig;
	++first[at];
	++second[at];
}

static void *busy(void *arg)
{
	(void)arg;
	while (!done)
		;
	return NULL;
}

static void *killer(void *arg)
{
	(void)arg;
	while (!done) {
		pthread_kill(target, SIGUSR1);
		for (volatile int i = 0; i < 3000; i++)
			;
	}
	return NULL;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_usr1, .sa_flags = SA_RESTART };
	pthread_t t;
	int moved = 0, odd = 0, half = 0;

	t_start(64);
	first = (unsigned *)t_anon(8 << 20);
	second = (unsigned *)((char *)t_anon(8 << 20) + (2 << 20));
	for (int i = 0; i < FORKS; i++)
		first[i * APART] = second[i * APART] = 0;
	sigaction(SIGUSR1, &sa, NULL);
	t_signals_again();
	CHECK(!pthread_create(&target, NULL, busy, NULL));
	CHECK(!pthread_create(&t, NULL, killer, NULL));
	for (int i = 0; i < FORKS; i++) {
		int status;
		pid_t pid;

		place = i * APART;
		t_sleep_ms(1);
		pid = t_fork();

		if (pid == 0) {
			unsigned b = second[place], a;

			a = first[place];
			for (volatile int k = 0; k < 300000; k++)
				;
			if (second[place] != b || first[place] != a)
				t_exec_exit(2);
			t_exec_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		moved += status == 2 << 8;
		odd += status != 0 && status != 2 << 8;
	}
	done = 1;
	pthread_join(t, NULL);
	pthread_join(target, NULL);
	for (int i = 0; i < FORKS; i++)
		half += first[i * APART] != second[i * APART];
	printf("%d moved, %d ended otherwise, %d half done\n", moved, odd,
	       half);
	return t_end();
}
