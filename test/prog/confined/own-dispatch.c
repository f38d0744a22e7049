/*
 * A program that has syscall user dispatch for itself still has it after its
 * forks. The argument: fork, vfork; late, its handler of SIGSYS is not there
 * while it forks.
 *
 * Test: own-dispatch-{fork,vfork,late} {}
 */
#include "t.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define DISPATCH 59
enum {
	LETS,
	BLOCKS,
	ANSWER = 4242
};

static volatile char selector;
static volatile int seen;

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	selector = LETS;
	seen++;
	uc->uc_mcontext.gregs[REG_RAX] = ANSWER;
}

static long bare_call(long nr)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "0"(nr)
			 : "rcx", "r11", "memory");
	return r;
}

static void handle(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys,
				.sa_flags = SA_SIGINFO };

	CHECK(!sigaction(SIGSYS, &sa, NULL));
}

static pid_t child(const char *how)
{
	pid_t pid = !strcmp(how, "vfork") ? vfork() : fork();

	if (pid == 0) {
		execl(t_report, "report", "exit", "7", (char *)NULL);
		_exit(90);
	}
	return pid;
}

int main(int argc, char **argv)
{
	bool late;
	long rc;

	CHECK(argc > 1);
	late = !strcmp(argv[1], "late");
	t_start(32);
	t_reap(child(argv[1]), "before");
	if (prctl(DISPATCH, 1, 0, 0, &selector))
		t_skip("no syscall user dispatch");
	for (int i = 0; i < 3; i++) {
		if (!late)
			handle();
		t_reap(child(argv[1]), "child");
		handle();
		seen = 0;
		selector = BLOCKS;
		rc = bare_call(SYS_getppid);
		selector = LETS;
		printf("dispatched %d, answered %d\n", seen, rc == ANSWER);
		signal(SIGSYS, SIG_DFL);
	}
	CHECK(!prctl(DISPATCH, 0, 0, 0, 0));
	t_signals_again();
	return t_end();
}
