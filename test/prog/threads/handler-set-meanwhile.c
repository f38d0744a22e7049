/*
 * A thread handles SIGSYS, gets one, and handles it no more, again and again,
 * while another forks: what it has set is in force, whenever it did so.
 *
 * Test: -l
 */
#include "t.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

enum {
	FORKS = 300
};

static volatile sig_atomic_t taken;
static volatile int done;

static void on_sys(int sig)
{
	(void)sig;
	taken++;
}

static void *sets(void *arg)
{
	struct sigaction sa = { .sa_handler = on_sys }, is;
	int *bad = arg;

	sigfillset(&sa.sa_mask);
	for (int round = 0; !done; round++) {
		taken = 0;
		CHECK(!sigaction(SIGSYS, &sa, NULL));
		CHECK(!sigaction(SIGSYS, NULL, &is));
		*bad += is.sa_handler != on_sys ||
			sigismember(&is.sa_mask, SIGKILL) ||
			!sigismember(&is.sa_mask, SIGUSR1);
		raise(SIGSYS);
		*bad += taken != 1;
		signal(SIGSYS, SIG_DFL);
		for (volatile int i = 0; i < 2000 + round % 7 * 3000; i++)
			;
	}
	return NULL;
}

int main(void)
{
	pthread_t thread;
	int bad = 0, status;
	pid_t pid;

	t_start(64);
	CHECK(!pthread_create(&thread, NULL, sets, &bad));
	for (int i = 0; i < FORKS; i++) {
		pid = t_fork();
		if (pid == 0)
			t_exec_exit(3);
		CHECK(waitpid(pid, &status, 0) == pid && status == 3 << 8);
	}
	done = 1;
	pthread_join(thread, NULL);
	printf("%d bad\n", bad);
	t_signals_again();
	return t_end();
}
