/*
 * SIGSYS comes to a thread whenever it can, and its handler finds the signals
 * blocked that are to be, and no others, and may fork: also in calls around
 * which flatfork does something of its own. One case each.
 *
 * Test: -s -l sys-among-ours-CASE CASE
 */
#define CASES_MIB 16
#include "../cases.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum {
	SIGNALS = 600,
	EACH = 64,
	PAGE = 4096
};

static const int others[] = { SIGHUP, SIGUSR1, SIGALRM, SIGCHLD, SIGTERM };

static _Atomic int taken, wrong, done;
static bool handler_forks;
static useconds_t pause_us; /* a fork begins anew for each */

static void reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		CHECK(errno == EINTR);
	wrong += status != 3 << 8;
}

static void on_sys(int sig)
{
	const int error = errno;
	sigset_t now;

	pthread_sigmask(SIG_BLOCK, NULL, &now);
	wrong += !sigismember(&now, sig);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		wrong += sigismember(&now, others[i]);
	if (++taken % EACH == 0 && handler_forks) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(3);
		reap(pid);
	}
	errno = error;
}

/* One at a time, or the thread would do nothing else. */
static void *sends(void *arg)
{
	const pthread_t *to = arg;
	int before;

	for (unsigned i = 0; !done; i++) {
		before = taken;
		pthread_kill(*to, SIGSYS);
		while (taken == before && !done)
			sched_yield();
		if (pause_us)
			usleep(pause_us);
		for (volatile unsigned j = 0; j < i % 97 * 20; j++)
			;
	}
	return NULL;
}

static void fork_and_exec(void)
{
	pid_t pid = t_fork();

	if (pid == 0)
		t_exec_exit(3);
	reap(pid);
}

/* The gate is used by then. */
static void among(void (*does)(void), int rounds, int flags)
{
	struct sigaction sa = { .sa_handler = on_sys,
				.sa_flags = SA_RESTART | flags };
	pthread_t thread, self = pthread_self();

	/* It may be raised there for a call of flatfork's. */
	if (prctl(PR_GET_SECCOMP) != 0)
		t_skip("under a filter it can't be blocked");
	fork_and_exec();
	CHECK(!sigaction(SIGSYS, &sa, NULL));
	CHECK(!pthread_create(&thread, NULL, sends, &self));
	for (int i = 0; i < rounds || taken < SIGNALS; i++)
		does();
	done = 1;
	pthread_join(thread, NULL);
	signal(SIGSYS, SIG_DFL);
	printf("%d wrong\n", wrong);
	t_signals_again();
}

static void advises(void)
{
	for (int i = 0; i < EACH; i++) {
		CHECK(!madvise(t_area, PAGE, MADV_DONTFORK));
		CHECK(!madvise(t_area, PAGE, MADV_DOFORK));
	}
}

CASE(advises)
{
	handler_forks = true;
	among(advises, 1, SA_ONSTACK);
}

static void moves(void)
{
	static char *at;

	if (!at)
		at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(at != MAP_FAILED);
	for (int i = 0; i < EACH; i++) {
		at = mremap(at, 2 * PAGE, PAGE, MREMAP_MAYMOVE);
		CHECK(at != MAP_FAILED);
		at = mremap(at, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
		CHECK(at != MAP_FAILED);
	}
}

CASE(moves)
{
	handler_forks = true;
	among(moves, 1, SA_ONSTACK);
}

static void forks(void)
{
	pid_t pid = t_fork();

	if (pid == 0)
		_exit(3);
	reap(pid);
}

/*
 * Of each fork it is told why it is real.
 * Test: -s -e FLATFORK_FORK=real -g "real: asked for" sys-among-ours-CASE CASE
 */
CASE(tells)
{
	pause_us = 100;
	among(forks, 500, 0);
}

CASES_MAIN
