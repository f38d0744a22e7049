/*
 * Forks from signal handlers: on the normal stack, with SA_ONSTACK on an
 * alternate stack inside the big heap, in a handler that interrupts malloc,
 * in one that interrupts a fork, and in a thread. The children exec or end
 * and return from the handler first.
 *
 * Test:
 */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int good, bad, limit = 20;
static const struct itimerval soon = { .it_value = { 0, 700 } };

static void try(int execs)
{
	int status, saved = errno;
	pid_t pid = fork();

	if (pid == 0) {
		int fine = t_intact(t_area + (3 << 20), 8192);

		if (execs) {
			execl(t_report, "report", "exit", fine ? "4" : "5",
			      (char *)NULL);
			_exit(6);
		}
		_exit(fine ? 4 : 5);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 4)
		good++;
	else
		bad++;
	errno = saved;
}

static void on_usr1(int sig)
{
	try(sig == SIGUSR1);
}

static void on_alarm(int sig)
{
	(void)sig;
	if (good >= limit)
		return;
	try(good & 1);
	/* not periodic: a fork longer than the period would never end */
	setitimer(ITIMER_REAL, &soon, NULL);
}

/* In the child the handler returns, then it execs from main. */
static volatile pid_t made;

static void on_usr2(int sig)
{
	(void)sig;
	made = fork();
}

static void *in_thread(void *arg)
{
	(void)arg;
	for (int i = 0; i < 5; i++)
		raise(SIGUSR1);
	return NULL;
}

static void interrupts(const char *what, int forks)
{
	struct itimerval off = { 0 };
	int before = good;

	limit = good + 20;
	setitimer(ITIMER_REAL, &soon, NULL);
	while (good < limit) {
		if (forks) {
			int status;
			pid_t pid = t_fork();

			if (pid == 0) {
				/* nothing of the handler's in here */
				setitimer(ITIMER_REAL, &off, NULL);
				_exit(9);
			}
			while (waitpid(pid, &status, 0) < 0)
				CHECK(errno == EINTR);
			CHECK(WEXITSTATUS(status) == 9);
		} else {
			for (int i = 1; i < 2000; i++)
				free(malloc(i * 7));
		}
	}
	setitimer(ITIMER_REAL, &off, NULL);
	printf("%s: %d good, %d bad\n", what, good - before, bad);
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	stack_t ss = { .ss_size = 32768 };
	pthread_t thread;

	t_start(64);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &(struct sigaction){ .sa_handler = on_usr2 }, NULL);
	sigaction(SIGALRM,
		  &(struct sigaction){ .sa_handler = on_alarm,
				       .sa_flags = SA_RESTART },
		  NULL);
	t_signals_again();
	for (int i = 0; i < 4; i++)
		raise(SIGUSR1);
	printf("in a handler: %d good, %d bad\n", good, bad);
	for (int i = 0; i < 4; i++) {
		raise(SIGUSR2);
		if (made == 0) {
			if (i % 2)
				_exit(t_intact(t_area, 4096) ? 3 : 2);
			t_exec_exit(t_intact(t_area, 4096) ? 3 : 2);
		}
		t_reap(made, "child that left the handler");
	}
	ss.ss_sp = t_block(200);
	sigaltstack(&ss, NULL);
	sa.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR1, &sa, NULL);
	for (int i = 0; i < 4; i++)
		raise(SIGUSR1);
	printf("on a stack in the heap: %d good, %d bad\n", good, bad);
	ss.ss_flags = SS_DISABLE;
	sigaltstack(&ss, NULL);
	t_fill(t_block(200), T_BLOCK);
	interrupts("interrupting malloc", 0);
	interrupts("interrupting fork", 1);
	/* last: with a thread about, libc's fork takes malloc's locks, and
	 * would wait for ever for the one it interrupted */
	good = bad = 0;
	pthread_create(&thread, NULL, in_thread, NULL);
	pthread_join(thread, NULL);
	printf("in a thread's: %d good, %d bad\n", good, bad);
	t_signals_again();
	return t_end();
}
