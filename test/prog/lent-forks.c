/*
 * fork() on one path, again and again: with FLATFORK_LEND=learned its children
 * borrow their parent's memory from some child on. What they do then, the
 * parent must not see.
 */
#include "path.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
	LEARNING = 12, /* more than it takes */
	ROUNDS = 60,
};

static void odd(void (*child)(void))
{
	with_an_odd_one(child, LEARNING + 4);
}

static void run_execs(void)
{
	rounds(ROUNDS);
}

static void ends(void)
{
	_exit(5);
}

static void run_ends(void)
{
	odd(ends);
}

static void comes_back(void)
{
}

static void run_comes_back(void)
{
	odd_comes_back = true;
	printf("unflushed ");
	odd(comes_back);
}

static void prints_and_exits(void)
{
	printf("the child's ");
	exit(6);
}

static void run_prints_and_exits(void)
{
	printf("unflushed ");
	odd(prints_and_exits);
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
	odd(forks_itself);
}

static void is_killed(void)
{
	raise(SIGKILL);
}

static void run_is_killed(void)
{
	odd(is_killed);
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

	odd(changes_environ);
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
	odd(signals_itself);
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
 * another thread writes there all the time. */
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
	atomic_long latch = 0;
	pthread_t thread;
	void *written;

	CHECK(!pthread_create(&thread, NULL, writes, &latch));
	rounds(LEARNING + rounds_or(ROUNDS));
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
