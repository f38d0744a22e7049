/*
 * Argument exec or exit. Signals the child sends before it execs or ends
 * arrive once: to its parent, to its group, to itself; queued ones with
 * their values in order. And those sent to the parent by a third process
 * while it forks: each is handled once, in the parent.
 *
 * Test: signals-to-parent-{exec,exit} {}
 */
#include "t.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t usr1, usr2, queued, sum, misorder, last;
static volatile int *in_child;
static pid_t me;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (getpid() != me) {
		__atomic_add_fetch(in_child, 1, __ATOMIC_SEQ_CST);
		return;
	}
	usr1 += sig == SIGUSR1;
	usr2 += sig == SIGUSR2;
	if (sig == SIGRTMIN) {
		queued++;
		sum += info->si_value.sival_int;
		misorder += info->si_value.sival_int < last;
		last = info->si_value.sival_int;
	}
}

static void end(const char *how)
{
	if (!strcmp(how, "exit"))
		_exit(3);
	t_exec_exit(3);
}

static void signalled_from_outside(const char *how)
{
	pid_t pid, sender;

	queued = sum = last = 0;
	sender = t_fork();
	if (sender == 0) {
		for (int i = 1; i <= 300; i++) {
			union sigval v = { .sival_int = i };

			CHECK(!sigqueue(me, SIGRTMIN, v));
			usleep(500);
		}
		_exit(0);
	}
	for (int i = 0; i < 40; i++) {
		int status;

		pid = t_fork();
		if (pid == 0) {
			t_area[i << 12] = 1;
			usleep(1000);
			end(how);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 3 << 8);
	}
	t_reap(sender, "sender");
	printf("from outside %d, sum %d, out of order %d, in children %d\n",
	       (int)queued, (int)sum, (int)misorder, *in_child);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "exec";
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO | SA_RESTART };
	pid_t pid;

	t_start(64);
	me = getpid();
	in_child = t_shared(4096);
	CHECK(!setpgid(0, 0));
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	sigaction(SIGRTMIN, &sa, NULL);
	t_signals_again();
	for (int i = 0; i < 5; i++) {
		pid = t_fork();
		if (pid == 0) {
			kill(getppid(), SIGUSR1);
			end(how);
		}
		t_reap(pid, "signals its parent");
	}
	printf("USR1 %d\n", (int)usr1);
	for (int i = 0; i < 5; i++) {
		pid = t_fork();
		if (pid == 0) {
			kill(0, SIGUSR2);
			end(how);
		}
		t_reap(pid, "signals its group");
	}
	printf("USR2 %d, in children %d\n", (int)usr2, *in_child);
	*in_child = 0;
	pid = t_fork();
	if (pid == 0) {
		for (int i = 1; i <= 50; i++) {
			union sigval v = { .sival_int = i };

			CHECK(!sigqueue(getppid(), SIGRTMIN, v));
		}
		end(how);
	}
	t_reap(pid, "queues 50");
	printf("queued %d, sum %d, out of order %d\n", (int)queued, (int)sum,
	       (int)misorder);
	signalled_from_outside(how);
	return t_end();
}
