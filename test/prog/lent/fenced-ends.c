/*
 * How a child behind the fence (fenced.h) waits, stops, faults, takes signals
 * and ends.
 *
 * Test: -l -f fenced-forks-CASE CASE
 */
#include "fenced.h"

#include <pthread.h>

static int feed[2];

/* It waits for a parent that goes on behind fork. */
static void hears(void)
{
	char word[6];

	CHECK(read(feed[0], word, sizeof(word)) == 6);
	CHECK(!strcmp(word, "hello"));
}

static void tells(void)
{
	CHECK(write(feed[1], "hello", 6) == 6);
}

/* Test: -l -f -b 100 fenced-forks-CASE CASE */
CASE(handshake)
{
	CHECK(!pipe(feed));
	odd_parent = tells;
	odd(hears);
	close(feed[0]);
	close(feed[1]);
}

static void spins(void)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - start.tv_sec) * 1000 +
		       (now.tv_nsec - start.tv_nsec) / 1000000 <
	       400);
}

CASE(spins)
{
	odd(spins);
}

/* What exec hands on. */
static void blocks_all(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);
	execl(t_report, "report", "state", (char *)NULL);
}

CASE(blocks_all)
{
	odd(blocks_all);
}

/* pthread_kill() goes by what libc remembers. */
static void kills_its_thread(void)
{
	CHECK(gettid() == getpid());
	pthread_kill(pthread_self(), SIGTERM);
	_exit(1);
}

CASE(kills_its_thread)
{
	odd(kills_its_thread);
}

static void stops(void)
{
	raise(SIGSTOP);
}

CASE(stops)
{
	odd(stops);
}

static void faults(void)
{
	static volatile char *volatile nowhere = (char *)16;

	*nowhere = 1;
}

CASE(faults)
{
	odd(faults);
}

static int *no_int;

static void on_segv(int sig)
{
	static int some;

	(void)sig;
	no_int = &some;
	_exit(3);
}

CASE(faults_handled)
{
	signal(SIGSEGV, on_segv);
	t_signals_again();
	odd(faults);
}

static volatile sig_atomic_t taken;

static void on_usr2(int sig)
{
	(void)sig;
	taken++;
}

static void signals_itself(void)
{
	kill(getpid(), SIGUSR2);
	kill(getpid(), SIGUSR2);
	CHECK(taken == 2);
}

CASE(signals)
{
	signal(SIGUSR2, on_usr2);
	t_signals_again();
	odd(signals_itself);
	CHECK(taken == 0);
}

static void is_killed(void)
{
	initialised++;
	kill(getpid(), SIGKILL);
}

CASE(is_killed)
{
	note_memory();
	odd(is_killed);
	look_at_memory();
}

CASE(forks)
{
	odd(forks);
}

static void prints_and_exits(void)
{
	printf("the child's ");
	exit(6);
}

CASE(prints_and_exits)
{
	printf("unflushed ");
	odd(prints_and_exits);
}

static void comes_back(void)
{
}

CASE(comes_back)
{
	odd_comes_back = true;
	printf("unflushed ");
	odd(comes_back);
}

CASES_MAIN
