/*
 * A thread handles SIGSYS, gets one, and handles it no more, again and again,
 * while another forks: what it has set is in force, whenever it did so.
 * Argument: by which name.
 *
 * Test: -l handler-set-meanwhile-{sigaction,sysv_signal,ssignal,sigset,raw} {}
 */
#include "t.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Old names, which programs use. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

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

static const char *name;

static bool by(const char *this)
{
	return !strcmp(name, this);
}

/* As the kernel has it; 0, or how many of its answers are wrong. */
static int set_raw(void)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		unsigned long mask;
	} k, was;
	int bad = 0;

	/* libc knows the restorer */
	CHECK(!syscall(SYS_rt_sigaction, SIGUSR2, NULL, &k, sizeof(k.mask)));
	bad += syscall(SYS_rt_sigaction, SIGSYS, &k, &was, sizeof(k.mask)) != 0;
	bad += was.handler != SIG_DFL;
	bad += syscall(SYS_rt_sigaction, SIGSYS, NULL, &was, sizeof(k.mask)) !=
	       0;
	return bad + (was.handler != on_sys || was.flags != k.flags);
}

static int set_by_name(void)
{
	if (by("raw"))
		return set_raw();
	if (by("sysv_signal"))
		return sysv_signal(SIGSYS, on_sys) != SIG_DFL;
	if (by("ssignal"))
		return ssignal(SIGSYS, on_sys) != SIG_DFL;
	return (sigset(SIGSYS, SIG_HOLD) != SIG_DFL) +
	       (sigset(SIGSYS, on_sys) != SIG_HOLD);
}

static int set(void)
{
	struct sigaction sa = { .sa_handler = on_sys }, is;

	if (!by("sigaction"))
		return set_by_name();
	sigfillset(&sa.sa_mask);
	CHECK(!sigaction(SIGSYS, &sa, NULL));
	CHECK(!sigaction(SIGSYS, NULL, &is));
	return is.sa_handler != on_sys || sigismember(&is.sa_mask, SIGKILL) ||
	       !sigismember(&is.sa_mask, SIGUSR1);
}

static void unset(void)
{
	if (by("sigset"))
		sigset(SIGSYS, SIG_DFL);
	else
		signal(SIGSYS, SIG_DFL);
}

static void *sets(void *arg)
{
	int *bad = arg;

	for (int round = 0; !done; round++) {
		taken = 0;
		*bad += set();
		raise(SIGSYS);
		*bad += taken != 1;
		unset();
		for (volatile int i = 0; i < 2000 + round % 7 * 3000; i++)
			;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int bad = 0, status;
	pid_t pid;

	CHECK(argc > 1);
	name = argv[1];
	signal(SIGUSR2, on_sys);
	t_start(64);
	CHECK(!pthread_create(&thread, NULL, sets, &bad));
	for (int i = 0; i < (by("sigaction") ? FORKS : FORKS / 3); i++) {
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
