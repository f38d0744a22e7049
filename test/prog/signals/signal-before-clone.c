/*
 * A signal for all comes when a child is about to be made (FLATFORK_FAULT
 * sends it; plain libc is not sent any). Whether libc blocks signals for its
 * clone or not: it is taken as often by the child as by the parent, before
 * fork returns in either; its handler stands in an ordinary place, from which
 * the caller of fork can be seen; and what it makes of the mask stays.
 * Argument: the child
 *
 * writes  before it execs, so that it is born committed in time
 * execs   at once
 * vforks  is one of vfork
 *
 * Test: -e FLATFORK_LEND=off -e FLATFORK_FAULT=signal
 *       -g "real: a signal waits for the program"
 *       signal-before-clone-{writes,execs} {}
 * Test: -e FLATFORK_LEND=off -e FLATFORK_FAULT=signal-late
 *       -g "real: a signal waits for the program"
 *       signal-late-before-clone-{writes,execs} {}
 * Test: -e FLATFORK_FAULT={signal,signal-late} {}-before-clone-vforks vforks
 */
#include "t.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

enum {
	ROUNDS = 10
};

static volatile sig_atomic_t taken, seen;

static pid_t fork_here(bool vforks);

static _Unwind_Reason_Code look(struct _Unwind_Context *context, void *arg)
{
	(void)arg;
	if (_Unwind_GetRegionStart(context) == (uintptr_t)fork_here)
		seen++;
	return _URC_NO_REASON;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	taken++;
	_Unwind_Backtrace(look, NULL);
	sigaddset(&uc->uc_sigmask, SIGUSR2);
}

static int is_blocked(int sig)
{
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	return sigismember(&mask, sig);
}

static __attribute__((noinline, noclone)) pid_t fork_here(bool vforks)
{
	pid_t pid = vforks ? vfork() : fork();

	if (pid == 0 && vforks)
		t_exec_exit(taken);
	CHECK(seen == taken);
	CHECK(is_blocked(SIGUSR2) == (taken > 0));
	return pid;
}

int main(int argc, char **argv)
{
	const bool vforks = argc > 1 && !strcmp(argv[1], "vforks");
	const bool writes = argc > 1 && !strcmp(argv[1], "writes");
	struct sigaction act = { .sa_sigaction = on_signal,
				 .sa_flags = SA_SIGINFO };
	int status, fd[2];
	pid_t pid;

	t_start(32);
	CHECK(!setpgid(0, 0));
	CHECK(!pipe(fd));
	CHECK(!sigaction(SIGUSR1, &act, NULL));
	t_signals_again();
	for (int i = 0; i < ROUNDS; i++) {
		pid = fork_here(vforks);
		if (pid == 0) {
			CHECK(!writes || write(fd[1], "", 1) == 1);
			t_exec_exit(taken);
		}
		CHECK(pid > 0);
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == taken);
	}
	t_signals_again();
	close(fd[0]);
	close(fd[1]);
	return t_end();
}
