/*
 * The program handles SIGSYS, which somebody may send it, and forks. One case each.
 *
 * Test: -s -l sys-handled-CASE CASE
 */
#define CASES_MIB 64
#include "../cases.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
	FORKS = 60,
	ROUNDS = 3,
	SECONDS = 20
};

static _Atomic int taken, wrong;
static _Thread_local char *alternate; /* what this thread has set */
static bool on_alternate;	      /* it is to be used */
static _Atomic int expected_code;
static _Atomic pid_t expected_in; /* 0: any */
static volatile int done;

static void on_sys(int sig, siginfo_t *info, void *context)
{
	char here;
	ucontext_t *uc = context;
	sigset_t now;

	sigprocmask(SIG_BLOCK, NULL, &now);
	wrong += sig != SIGSYS || info->si_code != expected_code ||
		 info->si_pid != getpid();
	wrong += !sigismember(&now, SIGSYS) || !sigismember(&now, SIGUSR2) ||
		 sigismember(&now, SIGUSR1) || sigismember(&now, SIGALRM);
	wrong += sigismember(&uc->uc_sigmask, SIGUSR2);
	wrong += expected_in && expected_in != gettid();
	if (alternate)
		wrong += (&here >= alternate && &here < alternate + SIGSTKSZ) !=
			 on_alternate;
	taken++;
}

static void set_alternate(void)
{
	stack_t stack = { .ss_size = (size_t)SIGSTKSZ };

	stack.ss_sp = alternate = calloc(1, stack.ss_size);
	CHECK(alternate && !sigaltstack(&stack, NULL));
}

static void drop_alternate(void)
{
	const stack_t none = { .ss_flags = SS_DISABLE };

	CHECK(!sigaltstack(&none, NULL));
	free(alternate);
	alternate = NULL;
}

static void handle(int flags)
{
	struct sigaction sa = { .sa_sigaction = on_sys,
				.sa_flags = SA_SIGINFO | flags };

	on_alternate = flags & SA_ONSTACK;
	sigaddset(&sa.sa_mask, SIGUSR2);
	CHECK(!sigaction(SIGSYS, &sa, NULL));
}

static void block(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	CHECK(!pthread_sigmask(how, &set, NULL));
}

static bool took(int before)
{
	for (int i = 0; i < SECONDS * 1000; i++) {
		if (taken == before + 1)
			return true;
		usleep(1000);
	}
	return false;
}

static void forks(void (*in_child)(void))
{
	int status;
	pid_t pid;

	for (int i = 0; i < FORKS; i++) {
		pid = t_fork();
		if (pid == 0) {
			if (in_child)
				in_child();
			t_exec_exit(wrong ? 4 : 3);
		}
		while (waitpid(pid, &status, 0) < 0)
			CHECK(errno == EINTR);
		wrong += status != 3 << 8;
	}
}

static void over(void)
{
	signal(SIGSYS, SIG_DFL);
	printf("%d wrong\n", wrong);
	t_signals_again();
}

static void looks(void)
{
	struct sigaction is, dfl = { .sa_handler = SIG_DFL };

	CHECK(!sigaction(SIGSYS, NULL, &is));
	wrong += is.sa_sigaction != on_sys ||
		 is.sa_flags != (SA_SIGINFO | SA_ONSTACK | SA_RESTART) ||
		 !sigismember(&is.sa_mask, SIGUSR2) ||
		 sigismember(&is.sa_mask, SIGUSR1);
	CHECK(!sigaction(SIGSYS, &dfl, NULL));
	CHECK(!sigaction(SIGSYS, NULL, &is));
	wrong += is.sa_handler != SIG_DFL;
}

CASE(child_asks)
{
	handle(SA_ONSTACK | SA_RESTART);
	forks(looks);
	over();
}

static void *stands(void *unused)
{
	while (!done)
		usleep(1000);
	return unused;
}

/* In a process with threads and without. */
CASE(child_ignores)
{
	struct sigaction is;
	pthread_t thread;
	int status;
	pid_t pid;

	handle(SA_ONSTACK);
	for (int i = 0; i < 4; i++) {
		if (i == 2)
			CHECK(!pthread_create(&thread, NULL, stands, NULL));
		fflush(stdout);
		pid = t_fork();
		if (pid == 0) {
			signal(SIGSYS, SIG_IGN);
			sigaction(SIGSYS, NULL, &is);
			CHECK(is.sa_handler == SIG_IGN);
			if (i % 2)
				raise(SIGSYS);
			t_exec_report("state");
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
	done = 1;
	pthread_join(thread, NULL);
	over();
}

static void sends_itself(int how)
{
	const int before = taken;
	union sigval value = { .sival_int = 7 };

	expected_code = how == 0 ? SI_USER : how == 1 ? SI_TKILL : SI_QUEUE;
	if (how == 0)
		kill(getpid(), SIGSYS);
	else if (how == 1)
		raise(SIGSYS);
	else
		sigqueue(getpid(), SIGSYS, value);
	wrong += taken != before + 1;
}

static void takes(void)
{
	sigset_t pending;

	for (int how = 0; how < 3; how++)
		sends_itself(how);
	block(SIG_BLOCK);
	kill(getpid(), SIGSYS);
	sigpending(&pending);
	wrong += taken != 3 || !sigismember(&pending, SIGSYS);
	expected_code = SI_USER;
	block(SIG_UNBLOCK);
	wrong += taken != 4;
}

/* Behind the first ones, which exec at once. */
CASE(child_takes)
{
	set_alternate();
	handle(SA_ONSTACK);
	forks(NULL);
	forks(takes);
	drop_alternate();
	over();
}

static void writes_and_takes(void)
{
	CHECK(write(1, "child\n", 6) == 6);
	takes();
}

/*
 * ... as an ordinary child from its birth on.
 * Test: sys-handled-CASE CASE
 */
CASE(child_writes_and_takes)
{
	handle(0);
	forks(writes_and_takes);
	over();
}

struct sender {
	pthread_t thread;
	pid_t forks_in;
	pthread_t forks;
};

/* By all functions that send to a thread. */
static void send_to(const struct sender *s, int how)
{
	const union sigval value = { .sival_int = 7 };

	expected_code = how == 3 ? SI_QUEUE : SI_TKILL;
	expected_in = s->forks_in;
	if (how == 0)
		pthread_kill(s->forks, SIGSYS);
	else if (how == 1)
		tgkill(getpid(), s->forks_in, SIGSYS);
	else if (how == 2)
		syscall(SYS_tgkill, getpid(), s->forks_in, SIGSYS);
	else
		pthread_sigqueue(s->forks, SIGSYS, value);
}

/* Each is taken, once, by who it was sent to, before the next. */
static void *send(void *arg)
{
	const struct sender *forker = arg;
	const struct sender self = { .forks_in = gettid(),
				     .forks = pthread_self() };
	int before;

	set_alternate();
	for (int i = 0; !done; i++) {
		before = taken;
		if (i % 3 == 0) {
			expected_code = SI_USER;
			expected_in = 0;
			kill(getpid(), SIGSYS);
		} else {
			send_to(i % 3 == 1 ? &self : forker, i / 3 % 4);
		}
		wrong += !took(before);
		if (i % 16 == 15)
			usleep(5000);
	}
	drop_alternate();
	return NULL;
}

static void beside(int flags)
{
	struct sender s = { .forks_in = gettid(), .forks = pthread_self() };

	set_alternate();
	handle(flags);
	CHECK(!pthread_create(&s.thread, NULL, send, &s));
	for (int i = 0; i < ROUNDS; i++)
		forks(NULL);
	done = 1;
	pthread_join(s.thread, NULL);
	drop_alternate();
	over();
}

CASE(parent_takes)
{
	beside(SA_ONSTACK | SA_RESTART);
}

/*
 * Then it would be on another stack, while another thread forks: not lazy.
 * Test: -s -g "real: SIGSYS is handled by" sys-handled-CASE CASE
 */
CASE(parent_takes_on_its_stack)
{
	beside(SA_RESTART);
}

/* It may not be taken where it is blocked. */
static void *send_elsewhere(void *arg)
{
	int before;

	(void)arg;
	expected_in = gettid();
	block(SIG_UNBLOCK);
	for (int i = 0; !done; i++) {
		before = taken;
		expected_code = SI_USER;
		kill(getpid(), SIGSYS);
		wrong += !took(before);
		if (i % 16 == 15)
			usleep(5000);
	}
	return NULL;
}

/* Test: sys-handled-CASE CASE */
CASE(parent_blocks)
{
	pthread_t thread;

	handle(SA_ONSTACK | SA_RESTART);
	block(SIG_BLOCK);
	CHECK(!pthread_create(&thread, NULL, send_elsewhere, NULL));
	forks(NULL);
	done = 1;
	pthread_join(thread, NULL);
	block(SIG_UNBLOCK);
	over();
}

static void count(int sig)
{
	wrong += sig != SIGSYS;
	taken++;
}

static void *floods(void *arg)
{
	const pthread_t *to = arg;

	for (unsigned i = 0; !done; i++) {
		if (i % 2)
			pthread_kill(*to, SIGSYS);
		else
			kill(getpid(), SIGSYS);
		for (volatile unsigned j = 0; j < i % 7 * 300; j++)
			;
	}
	return NULL;
}

/* They come at every moment of a fork, and more than are taken. */
CASE(parent_is_flooded)
{
	struct sigaction sa = { .sa_handler = count,
				.sa_flags = SA_ONSTACK | SA_RESTART };
	pthread_t thread, self = pthread_self();
	int before;

	CHECK(!sigaction(SIGSYS, &sa, NULL));
	CHECK(!pthread_create(&thread, NULL, floods, &self));
	forks(NULL);
	done = 1;
	pthread_join(thread, NULL);
	before = taken;
	raise(SIGSYS);
	wrong += taken != before + 1;
	over();
}

static int pipe_fd[2];

/* Its read() goes on. */
static void *reads(void *unused)
{
	char c;

	while (read(pipe_fd[0], &c, 1) == 1)
		;
	wrong += read(pipe_fd[0], &c, 1) != 0;
	return unused;
}

CASE(parent_goes_on)
{
	pthread_t thread;
	int before;

	CHECK(!pipe(pipe_fd));
	handle(SA_ONSTACK | SA_RESTART);
	CHECK(!pthread_create(&thread, NULL, reads, NULL));
	expected_code = SI_TKILL;
	for (int i = 0; i < 5; i++) {
		before = taken;
		CHECK(!pthread_kill(thread, SIGSYS));
		forks(NULL);
		wrong += !took(before);
		CHECK(write(pipe_fd[1], "", 1) == 1);
	}
	close(pipe_fd[1]);
	pthread_join(thread, NULL);
	close(pipe_fd[0]);
	over();
}

CASES_MAIN
