/*
 * Signals of faults, which the program blocks, are sent to it at any moment of
 * its forks: they wait, and it goes on.
 *
 * Test: -l faults-sent-at-fork-{segv,bus} {}
 */
#include "t.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	ROUNDS = 60
};

static volatile int *round_nr;

static _Noreturn void send(pid_t to, int sig)
{
	t_sleep_ms(1); /* it does not exec */
	for (int i = 1; i <= ROUNDS; i++) {
		while (*round_nr < i)
			;
		for (volatile int spins = i * 1500; spins > 0; spins--)
			;
		kill(to, sig);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	const int sig = argc > 1 && !strcmp(argv[1], "bus") ? SIGBUS : SIGSEGV;
	int status, exits = 0, taken = 0;
	pid_t sender, pid, parent = getpid();
	sigset_t set;

	round_nr = t_shared(4096);
	t_start(96);
	sigemptyset(&set);
	sigaddset(&set, sig);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	t_signals_again();
	sender = t_fork();
	if (sender == 0)
		send(parent, sig);
	for (int i = 1; i <= ROUNDS; i++) {
		*round_nr = i;
		pid = fork();
		CHECK(pid >= 0);
		if (pid == 0)
			t_exec_exit(t_intact(t_area, 4096) ? 7 : 8);
		CHECK(waitpid(pid, &status, 0) == pid);
		exits += status == 7 << 8;
		taken += sigtimedwait(&set, NULL,
				      &(struct timespec){ 20, 0 }) == sig;
	}
	printf("%d exits, %d signals\n", exits, taken);
	t_reap(sender, "sender");
	return t_end();
}
