/*
 * fork() on one path, again and again: with FLATFORK_LEND=learned its children
 * borrow their parent's memory from some child on. What they do then, the
 * parent must not see.
 */
#include "cases.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>

enum {
	LEARNING = 12, /* more than it takes */
	ROUNDS = 60,
};

static char *const no_environ[] = { NULL };
static int round_nr, odd_round = -1, odd_status;
static void (*odd_thing)(void); /* what the child of that round does */

/* One path. The child changes words of this frame; the parent looks. */
static FRAME int one_fork(void)
{
	volatile long word = 0x1234;
	int status = -1;
	pid_t pid;

	errno = 0;
	pid = fork();
	if (pid == 0) {
		word = round_nr;
		errno = ERANGE;
		if (round_nr == odd_round) {
			odd_thing();
			return 77; /* it came back: so does its path */
		}
		execle(t_report, "report", "exit", "7", (char *)NULL,
		       no_environ);
		_exit(99);
	}
	CHECK(errno == 0 && word == 0x1234);
	CHECK(waitpid(pid, &status, 0) == pid);
	return status;
}

static void rounds(int n)
{
	int status, exits = 0;

	for (round_nr = 0; round_nr < n; round_nr++) {
		status = one_fork();
		if (is_child()) {
			printf("child: came back with %d\n", status);
			exit(3);
		}
		if (round_nr == odd_round)
			odd_status = status;
		exits += status == 7 << 8;
	}
	printf("%d of %d\n", exits, n);
}

static void run_execs(void)
{
	rounds(ROUNDS);
}

/* Learn, then one child that is different, then go on; all on one path. */
static void with_an_odd_one(void (*thing)(void))
{
	odd_round = LEARNING + 4;
	odd_thing = thing;
	rounds(LEARNING + 9);
	printf("odd: %s %d\n", WIFEXITED(odd_status) ? "exit" : "signal",
	       WIFEXITED(odd_status) ? WEXITSTATUS(odd_status) :
				       WTERMSIG(odd_status));
}

static void ends(void)
{
	_exit(5);
}

static void run_ends(void)
{
	with_an_odd_one(ends);
}

static void comes_back(void)
{
}

static void run_comes_back(void)
{
	printf("unflushed ");
	with_an_odd_one(comes_back);
}

static void prints_and_exits(void)
{
	printf("the child's ");
	exit(6);
}

static void run_prints_and_exits(void)
{
	printf("unflushed ");
	with_an_odd_one(prints_and_exits);
}

static void forks_itself(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(8);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 8);
	_exit(9);
}

static void run_forks(void)
{
	with_an_odd_one(forks_itself);
}

static void is_killed(void)
{
	raise(SIGKILL);
}

static void run_is_killed(void)
{
	with_an_odd_one(is_killed);
}

/* The checks find that, put it back, and lend no more. */
static void changes_environ(void)
{
	static char *other[] = { "OTHER=1", NULL };

	environ = other;
	_exit(5);
}

static void run_changes_environ(void)
{
	char **before = environ;

	with_an_odd_one(changes_environ);
	CHECK(environ == before);
}

static void on_usr1(int sig)
{
	(void)sig;
}

static void signals_itself(void)
{
	kill(getpid(), SIGUSR1);
	_exit(5);
}

static void run_signals(void)
{
	signal(SIGUSR1, on_usr1);
	t_signals_again();
	with_an_odd_one(signals_itself);
}

static int atfork_runs;

static void count_run(void)
{
	atfork_runs++;
}

/* Handlers that wait for forks run at each of them. */
static void run_atfork(void)
{
	rounds(LEARNING);
	pthread_atfork(count_run, count_run, NULL);
	rounds(LEARNING);
	printf("handlers %d\n", atfork_runs);
}

/* A latch on the forking thread's stack, in frames that its children work in:
 * another thread writes there all the time, once the path is known. */
static atomic_bool stop;

static void *writes(void *latch)
{
	long n = 0;

	while (!atomic_load(&stop)) {
		atomic_fetch_add((atomic_long *)latch, 1);
		n++;
	}
	return (void *)n;
}

static void run_latch(void)
{
	const char *longer = getenv("T_ROUNDS");
	int n = longer ? atoi(longer) : ROUNDS;
	atomic_long latch = 0;
	pthread_t thread;
	void *written;

	rounds(LEARNING);
	CHECK(!pthread_create(&thread, NULL, writes, &latch));
	rounds(n);
	atomic_store(&stop, true);
	pthread_join(thread, &written);
	printf("lost %ld\n", (long)written - atomic_load(&latch));
}

#define C(name)                   \
	{                         \
#name, run_##name \
	}
static const struct a_case cases[] = {
	C(execs),  C(ends),	 C(comes_back),	     C(prints_and_exits),
	C(forks),  C(is_killed), C(changes_environ), C(signals),
	C(atfork), C(latch),
};
CASES_MAIN(cases)
