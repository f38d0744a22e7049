/*
 * Signals within the child before it execs: handlers with absent memory,
 * masks with everything in them, pending ones delivered at unblocking,
 * sigwait, sigaltstack (the program's own, asked for and used), nested
 * handlers, what sigaction and sigprocmask answer for SIGSEGV and SIGSYS.
 *
 * Test: -l -f
 */
#include "t.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* volatile: raise() is declared as one that calls nothing of ours */
static char *volatile log_end;
static char text[2000];
static stack_t mine;

static void note(const char *fmt, int value)
{
	log_end += snprintf(log_end, text + sizeof(text) - log_end, fmt, value);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	char here;
	sigset_t now;
	int inside = &here >= (char *)mine.ss_sp &&
		     &here < (char *)mine.ss_sp + mine.ss_size;

	(void)context;
	sigprocmask(SIG_SETMASK, NULL, &now);
	note(" [%d", sig);
	note(" code %d", info->si_code);
	note(" value %d", info->si_value.sival_int);
	note(" self-blocked %d", sigismember(&now, sig));
	note(" usr2-blocked %d", sigismember(&now, SIGUSR2));
	note(" stack %d", inside);
	note(" memory %d]", t_intact(t_area + (sig << 20) / 2, 4096));
	errno = 0;
}

static void handler(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO | flags };

	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGUSR2);
	CHECK(!sigaction(sig, &sa, NULL));
}

static void queue(int sig, int value)
{
	union sigval v = { .sival_int = value };

	CHECK(!sigqueue(getpid(), sig, v));
}

static void handlers(void)
{
	sigset_t set, old;

	errno = 77;
	raise(SIGUSR1);
	note(" errno %d", errno);
	handler(SIGRTMIN, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 3; i++)
		queue(SIGRTMIN, i);
	note(" unblocking%d", 0);
	sigprocmask(SIG_UNBLOCK, &set, &old);
	note(" was blocked %d", sigismember(&old, SIGRTMIN));
	handler(SIGUSR1, SA_RESETHAND | SA_NODEFER);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &(struct sigaction){ 0 });
}

static void masks(void)
{
	sigset_t all, now;
	int n = 0, sig;
	struct timespec zero = { 0, 0 };
	siginfo_t info;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	CHECK(t_intact(t_area + (20 << 20), 65536));
	sigprocmask(SIG_SETMASK, NULL, &now);
	for (int s = 1; s <= 64; s++)
		n += sigismember(&now, s) == 1;
	note(" blocked %d", n);
	note(" segv %d", sigismember(&now, SIGSEGV));
	note(" sys %d", sigismember(&now, SIGSYS));
	queue(SIGUSR1, 5);
	queue(SIGRTMIN + 2, 6);
	sigpending(&now);
	note(" pending %d", sigismember(&now, SIGUSR1));
	sigemptyset(&now);
	sigaddset(&now, SIGRTMIN + 2);
	sig = sigtimedwait(&now, &info, &zero);
	note(" took %d", sig);
	note(" value %d", info.si_value.sival_int);
	sigdelset(&all, SIGUSR1);
	/* segv and sys stay in the program's mask through a suspend */
	note(" suspend %d", sigsuspend(&all));
	sigprocmask(SIG_SETMASK, NULL, &now);
	note(" segv %d", sigismember(&now, SIGSEGV));
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	n = t_intact(t_area + (25 << 20), 65536);
	note(" memory %d", n);
}

static void stacks(void)
{
	stack_t ss;

	sigaltstack(NULL, &ss);
	note(" same %d", ss.ss_sp == mine.ss_sp && ss.ss_size == mine.ss_size);
	note(" flags %d", ss.ss_flags);
	handler(SIGUSR1, SA_ONSTACK);
	raise(SIGUSR1);
	ss.ss_flags = SS_DISABLE;
	sigaltstack(&ss, NULL);
	raise(SIGUSR1);
	sigaltstack(NULL, &ss);
	note(" flags %d", ss.ss_flags);
	mine.ss_sp = t_area + (24 << 20) + 100000;
	sigaltstack(&mine, &ss);
	raise(SIGUSR1);
	ss = (stack_t){ .ss_sp = t_area, .ss_size = 10 };
	errno = 0;
	note(" small %d", sigaltstack(&ss, NULL));
	note(" errno %d", errno);
}

static void dispositions(void)
{
	struct sigaction sa;

	for (int i = 0; i < 2; i++) {
		int sig = i ? SIGSYS : SIGSEGV;

		sigaction(sig, NULL, &sa);
		note(" default %d", sa.sa_handler == SIG_DFL);
		signal(sig, SIG_IGN);
		CHECK(t_intact(t_area + ((6 + i) << 20), 8192));
		sigaction(sig, NULL, &sa);
		note(" ignored %d", sa.sa_handler == SIG_IGN);
		kill(getpid(), sig);
		handler(sig, 0);
		queue(sig, 9);
		sigaction(sig, NULL, &sa);
		note(" mine %d", sa.sa_sigaction == on_signal);
		note(" flags %d", (int)(sa.sa_flags & SA_SIGINFO) > 0);
	}
	CHECK(t_intact(t_area + (9 << 20), 8192));
}

/* What most children do: masks and dispositions, and no signal at all. */
static void quiet(void)
{
	struct sigaction sa;
	sigset_t set, old;
	stack_t ss;

	for (int s = 1; s <= 64; s++)
		signal(s, SIG_DFL);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, &old);
	note(" was %d", sigismember(&old, SIGSYS));
	CHECK(t_intact(t_area + (11 << 20), 65536));
	sigprocmask(SIG_SETMASK, NULL, &set);
	note(" segv %d", sigismember(&set, SIGSEGV));
	note(" sys %d", sigismember(&set, SIGSYS));
	signal(SIGSYS, SIG_IGN);
	signal(SIGSEGV, SIG_IGN);
	CHECK(t_intact(t_area + (12 << 20), 65536));
	sigaction(SIGSYS, NULL, &sa);
	note(" ignored %d", sa.sa_handler == SIG_IGN);
	sigaction(SIGSEGV, NULL, &sa);
	note(" ignored %d", sa.sa_handler == SIG_IGN);
	sigaltstack(NULL, &ss);
	note(" same %d", ss.ss_sp == mine.ss_sp && ss.ss_size == mine.ss_size);
	ss.ss_sp = t_area + (13 << 20);
	note(" set %d", sigaltstack(&ss, NULL));
	CHECK(t_intact(t_area + (14 << 20), 65536));
	sigaltstack(NULL, &ss);
	note(" it %d", ss.ss_sp == t_area + (13 << 20));
	ss.ss_flags = SS_DISABLE;
	note(" disabled %d", sigaltstack(&ss, NULL));
	sigaltstack(NULL, &ss);
	note(" nowhere %d", !ss.ss_sp && !ss.ss_size);
	sigdelset(&old, SIGUSR2);
	sigaddset(&old, SIGINT);
	sigaddset(&old, SIGSYS);
	sigprocmask(SIG_SETMASK, &old, NULL);
	setenv("T_TEXT", text, 1);
	t_exec_report("pending");
}

int main(void)
{
	static void (*const acts[])(void) = { handlers, masks, stacks,
					      dispositions, quiet };

	t_start(64);
	handler(SIGUSR1, 0);
	mine.ss_size = 65536;
	mine.ss_sp = t_block(t_blocks() - 3) - 65536 * 3;
	sigaltstack(&mine, NULL);
	t_signals_again();
	for (int i = 0; i < 5; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			log_end = text;
			acts[i]();
			t_exec_say("%s", text);
		}
		t_reap(pid, "child");
	}
	/* a signal that is blocked or ignored stays so for the program */
	for (int i = 0; i < 2; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			sigset_t set;

			sigemptyset(&set);
			sigaddset(&set, SIGTERM);
			sigaddset(&set, SIGSYS);
			sigaddset(&set, SIGSEGV);
			sigaddset(&set, SIGRTMIN + 1);
			sigprocmask(SIG_SETMASK, &set, NULL);
			signal(i ? SIGHUP : SIGSYS, SIG_IGN);
			CHECK(t_intact(t_area + (9 << 20), 8192));
			raise(SIGTERM);
			raise(SIGRTMIN + 1);
			if (i)
				raise(SIGSYS);
			t_exec_report("pending");
		}
		t_reap(pid, "with pending");
	}
	return t_end();
}
