/*
 * Signals and children of vfork: a handler that runs in a child runs in the
 * child's own memory.
 *
 * Test: -w vfork-wrong-signals-CASE CASE
 */
#include "vfork-helper.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

static volatile int handled; /* private: each process its own */

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

static void catches(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	CHECK(!sigaction(sig, &sa, NULL));
	t_signals_again();
}

/* ---- a handler in a child that is blocked ---- */

static void sends(pid_t child)
{
	CHECK(!kill(child, SIGUSR1));
}

static FRAME pid_t blocked_child(bool restarts)
{
	volatile long local = 7;
	pid_t pid = start();

	if (pid == 0) {
		char c;
		ssize_t n;

		local = 8;
		close(block[1]); /* no longer than its parent lives */
		child_tells();
		n = read(block[0], &c, 1);
		if (restarts)
			_exit(n == 1 && handled == 1 ? 3 : 4);
		_exit(n == -1 && errno == EINTR && handled == 1 ? 3 : 4);
	}
	CHECK(local == 7);
	return pid;
}

static void sends_and_writes(pid_t child)
{
	CHECK(!kill(child, SIGUSR1));
	t_sleep_ms(300);
	CHECK(write(block[1], "x", 1) == 1);
}

/* A child that reads is signalled by @send, and handles it with @flags. */
static void handled_in_read(int flags, void (*send)(pid_t child), bool restarts)
{
	pid_t other, pid;

	catches(SIGUSR1, flags);
	CHECK(!pipe(block));
	other = helper(send);
	pid = blocked_child(restarts);
	t_reap(pid, "child");
	t_reap(other, "helper");
	printf("parent handled %d\n", handled);
	close(told[1]);
	close(block[0]);
	close(block[1]);
}

CASE(handler_in_read)
{
	handled_in_read(0, sends, false);
}

CASE(handler_restarts)
{
	handled_in_read(SA_RESTART, sends_and_writes, true);
}

/* ---- signals that a child sends itself ---- */

static void self_case(void (*child)(void))
{
	pid_t pid = start();

	if (pid == 0) {
		child();
		_exit(handled);
	}
	t_reap(pid, "child");
	printf("parent handled %d\n", handled);
}

static void raises(void)
{
	raise(SIGUSR1);
}

/* Caught by the parent's handler. */
CASE(raise)
{
	catches(SIGUSR1, 0);
	self_case(raises);
}

static void kills_itself(void)
{
	kill(getpid(), SIGUSR1);
}

CASE(kill)
{
	catches(SIGUSR1, 0);
	self_case(kills_itself);
}

/* Caught by a handler that the child installed. */
static void own_handler(void)
{
	signal(SIGUSR2, on_signal);
	raise(SIGUSR2);
}

CASE(own_handler)
{
	self_case(own_handler);
}

static void by_default(void)
{
	signal(SIGUSR1, SIG_DFL);
	raise(SIGUSR1);
}

CASE(default)
{
	catches(SIGUSR1, 0);
	self_case(by_default);
}

static void ignored(void)
{
	signal(SIGUSR1, SIG_IGN);
	raise(SIGUSR1);
}

CASE(ignored)
{
	catches(SIGUSR1, 0);
	self_case(ignored);
}

/* Blocked when vfork was called. */
static void unblocks(void)
{
	sigset_t set;

	raise(SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

CASE(unblocked)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	catches(SIGUSR1, 0);
	self_case(unblocks);
}

/* A handler of faults, which looks and goes on elsewhere. */
static sigjmp_buf elsewhere;

static void on_fault(int sig)
{
	handled++;
	siglongjmp(elsewhere, sig);
}

static void faults(void)
{
	volatile int *volatile nowhere = NULL;

	if (!sigsetjmp(elsewhere, 1))
		*nowhere = 1;
}

static void traps(void)
{
	__asm__ volatile("int3");
}

static void divides(void)
{
	volatile int zero = 0;

	if (!sigsetjmp(elsewhere, 1))
		zero = 1 / zero;
}

CASE(fault)
{
	signal(SIGSEGV, on_fault);
	t_signals_again();
	self_case(faults);
}

CASE(trap)
{
	catches(SIGTRAP, 0);
	self_case(traps);
}

CASE(division)
{
	signal(SIGFPE, on_fault);
	t_signals_again();
	self_case(divides);
}

/* One that arrives before exec is handled before exec. */
static void handled_then_exec(void)
{
	volatile int *shared = t_shared(4096);
	pid_t pid = start();

	if (pid == 0) {
		raise(SIGUSR1);
		*shared += handled;
		execl(t_report, "report", "exit", "3", (char *)NULL);
		_exit(91);
	}
	t_reap(pid, "child");
	printf("handled before exec %d, in the parent %d\n", *shared, handled);
	munmap((void *)shared, 4096);
}

CASE(handled_then_exec)
{
	catches(SIGUSR1, 0);
	handled_then_exec();
}

/* Old names, which programs use. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static void by_sysv(void)
{
	sysv_signal(SIGUSR1, on_signal);
}

static void by_sigset(void)
{
	sigset(SIGUSR1, on_signal);
}

static void by_ssignal(void)
{
	ssignal(SIGUSR1, on_signal);
}

static void by_syscall(void)
{
	char as_the_kernel_has_it[4 * sizeof(long)];

	/* libc knows the restorer */
	signal(SIGUSR2, on_signal);
	CHECK(!syscall(SYS_rt_sigaction, SIGUSR2, NULL, as_the_kernel_has_it,
		       8L));
	CHECK(!syscall(SYS_rt_sigaction, SIGUSR1, as_the_kernel_has_it, NULL,
		       8L));
}

/* Right behind a child that needed no handler. */
static FRAME void handled_by(void (*set)(void))
{
	pid_t pid = start();

	if (pid == 0)
		_exit(3);
	t_reap(pid, "first");
	set();
	pid = start();
	if (pid == 0) {
		kill(getpid(), SIGUSR1);
		_exit(handled ? 3 : 4);
	}
	t_reap(pid, "child");
	printf("parent handled %d\n", handled);
	signal(SIGUSR1, SIG_DFL);
}

CASE(handled_by_older_names)
{
	handled_by(by_sysv);
	handled_by(by_sigset);
	handled_by(by_ssignal);
	handled_by(by_syscall);
	t_signals_again();
}

/* A timer that comes again and again goes on in the fork, also where one of its
 * signals waits when that is made: then the kernel does not tell it to run. */
static void is_timed(void)
{
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	do
		sigpending(&pending);
	while (!sigismember(&pending, SIGALRM));
	signal(SIGUSR2, on_signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	for (int i = 0; handled < 3 && i < 2000; i++)
		t_sleep_ms(10);
	setitimer(ITIMER_REAL, &never, NULL);
	_exit(handled < 3 ? 4 : 3);
}

CASE(timer_goes_on)
{
	catches(SIGALRM, 0);
	self_case(is_timed);
}

/* ---- a storm on parent and child ---- */

enum {
	CHILDREN = 200
};

static volatile int *storm; /* stop, queued sent, queued handled */

static void on_storm(int sig)
{
	if (is_child())
		handled++;
	else if (sig == SIGRTMIN)
		__atomic_add_fetch(&storm[2], 1, __ATOMIC_SEQ_CST);
}

/* In another group than those it sends to. */
static _Noreturn void send_storm(pid_t group)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != first_pid)
		_exit(1);
	setpgid(0, 0);
	while (!storm[0]) {
		if (!sigqueue(first_pid, SIGRTMIN, (union sigval){ 0 }))
			storm[1]++;
		kill(-group, SIGUSR1);
		usleep(1000);
	}
	_exit(0);
}

CASE(storm)
{
	struct sigaction sa = { .sa_handler = on_storm,
				.sa_flags = SA_RESTART };
	pid_t sender;
	volatile int bad = 0;

	CHECK(!setpgid(0, 0));
	storm = t_shared(4096);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGRTMIN, &sa, NULL);
	t_signals_again();
	sender = t_fork();
	if (sender == 0)
		send_storm(first_pid);
	for (int i = 0; i < CHILDREN; i++) {
		int status;
		pid_t pid = start();

		if (pid == 0) {
			signal(SIGUSR1, SIG_IGN);
			if (i % 8 == 7)
				_exit(7);
			execl(t_report, "report", "exit", "7", (char *)NULL);
			_exit(41);
		}
		CHECK(pid > 0);
		while (waitpid(pid, &status, 0) < 0)
			CHECK(errno == EINTR);
		bad += status != 7 << 8;
	}
	storm[0] = 1;
	t_reap(sender, "sender");
	printf("%d children, %d bad, queued %s, a child's handler here %d\n",
	       CHILDREN, bad, storm[1] == storm[2] ? "all handled" : "LOST",
	       handled);
	munmap((void *)storm, 4096);
}

/* ---- a parent that is killed ---- */

static FRAME int child_kills_parent(void)
{
	pid_t pid = start();

	if (pid == 0) {
		kill(getppid(), SIGKILL);
		usleep(100000);
	}
	return pid;
}

CASE(orphan)
{
	char text[64] = "";
	ssize_t n, at = 0;
	int fd[2];
	pid_t pid;

	CHECK(!pipe(fd));
	pid = fork();
	if (pid == 0) {
		close(fd[0]);
		if (child_kills_parent() != 0)
			for (;;)
				pause(); /* for the end */
		dprintf(fd[1], "the orphan goes on");
		_exit(0);
	}
	close(fd[1]);
	while ((n = read(fd[0], text + at, sizeof(text) - 1 - at)) > 0)
		at += n;
	close(fd[0]);
	t_reap(pid, "parent");
	printf("%s\n", text);
}

/* ---- one that comes to all when the child becomes a fork ---- */

static void take_time(void)
{
	t_sleep_ms(100);
}

static FRAME pid_t returns(void)
{
	pid_t pid = start();

	return pid;
}

/*
 * FLATFORK_FAULT sends it, once for each child; fork itself is sent none.
 * Test: -w -e FLATFORK_FAULT=signal-{leaving,left}
 *       vfork-wrong-signals-CASE_{} CASE
 */
CASE(all)
{
	pid_t pid;

	CHECK(!setpgid(0, 0));
	catches(SIGUSR1, SA_RESTART);
	CHECK(!pthread_atfork(NULL, take_time, NULL));
	for (int i = 1; i <= 3; i++) {
		pid = returns();
		if (pid == 0) {
			t_sleep_ms(200);
			_exit(by_fork ? i : handled);
		}
		CHECK(handled == (by_fork ? 0 : i));
		t_reap(pid, "child handled");
	}
}

CASES_MAIN
