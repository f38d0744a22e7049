/*
 * What fork handlers, and the signal handlers that run among them, may do
 * while a fork is made: wait until a collector has stopped all threads, wait
 * for a thread that changes its ids, fork. Argument: the case.
 *
 * Test: -l fork-among-CASE CASE
 */
#include "cases.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define FORKS 10

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t forking;
static sem_t taken;
static volatile int stop, begun, held;

static void on_usr1(int sig)
{
	(void)sig;
	sem_post(&taken);
}

static void wait_until_taken(void)
{
	CHECK(!pthread_kill(forking, SIGUSR1));
	while (sem_wait(&taken))
		;
}

static void begin(void)
{
	struct sigaction act = { .sa_handler = on_usr1,
				 .sa_flags = SA_RESTART };

	forking = pthread_self();
	sem_init(&taken, 0, 0);
	CHECK(!sigaction(SIGUSR1, &act, NULL));
	t_signals_again();
}

static void fork_often(void)
{
	pid_t pid;

	for (int i = 0; i < FORKS; i++) {
		pid = t_fork();
		if (pid == 0)
			t_exec_exit(3);
		t_reap(pid, "child");
	}
}

/* The other thread has the lock, and goes on when a fork waits for it. */
static void take_lock(void)
{
	begun = 1;
	pthread_mutex_lock(&lock);
	begun = 0;
}

static void wait_for_fork(void)
{
	while (!begun && !stop)
		usleep(100);
	usleep(1000);
}

static void leave_lock(void)
{
	pthread_mutex_unlock(&lock);
}

static void fork_beside(void *(*thread)(void *))
{
	pthread_t t;

	begin();
	CHECK(!pthread_atfork(take_lock, leave_lock, leave_lock));
	CHECK(!pthread_create(&t, NULL, thread, NULL));
	fork_often();
	stop = 1;
	pthread_join(t, NULL);
}

/* A collector: holds what the fork handler wants until all have stopped. */
static void *stop_others(void *unused)
{
	(void)unused;
	while (!stop) {
		pthread_mutex_lock(&lock);
		wait_for_fork();
		wait_until_taken();
		pthread_mutex_unlock(&lock);
		while (begun)
			usleep(100);
	}
	return NULL;
}

CASE(stops_world)
{
	fork_beside(stop_others);
}

/* libc has all threads take a signal for it. */
static void *change_ids(void *unused)
{
	(void)unused;
	while (!stop) {
		pthread_mutex_lock(&lock);
		wait_for_fork();
		CHECK(!setuid(getuid()));
		pthread_mutex_unlock(&lock);
		while (begun)
			usleep(100);
	}
	return NULL;
}

CASE(changes_ids)
{
	fork_beside(change_ids);
}

/* Called with the lock of libc's list of streams held, which fork takes
 * behind the handlers. */
static ssize_t write_slowly(void *unused, const char *text, size_t n)
{
	(void)unused;
	(void)text;
	held = 1;
	t_sleep_ms(30);
	wait_until_taken();
	return (ssize_t)n;
}

static void *hold_list(void *unused)
{
	cookie_io_functions_t io = { .write = write_slowly };
	FILE *f = fopencookie(NULL, "w", io);

	(void)unused;
	CHECK(f && fputs("something", f) >= 0);
	t_until(&begun, 1);
	fflush(NULL);
	fclose(f);
	return NULL;
}

static void let_it_be_held(void)
{
	if (begun)
		return;
	begun = 1;
	t_until(&held, 1);
}

CASE(holder_waits)
{
	pthread_t t;

	begin();
	CHECK(!pthread_atfork(let_it_be_held, NULL, NULL));
	CHECK(!pthread_create(&t, NULL, hold_list, NULL));
	fork_often();
	pthread_join(t, NULL);
}

/* A fork that nobody is told of. */
static pid_t fork_by_hand(void)
{
	long rc;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "0"(SYS_fork)
			 : "rcx", "r11", "memory");
	return (pid_t)rc;
}

static pid_t (*inner)(void);
static pid_t inner_pid;

static void fork_once(void)
{
	pid_t (*how)(void) = inner;

	inner = NULL;
	if (how)
		inner_pid = how();
}

static void make_one(const char *what)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		t_exec_exit(4);
	CHECK(pid > 0);
	t_reap(pid, what);
}

/* The inner child comes back into the handler, and so goes on to be forked
 * as its parent; then it forks by itself. */
static void run_inside(pid_t (*how)(void))
{
	pid_t before = getpid(), pid;

	inner = how;
	inner_pid = -1;
	fflush(NULL);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		t_exec_exit(5);
	if (getpid() != before) {
		t_reap(pid, "fork of inner");
		make_one("inner's own");
		make_one("inner's own");
		fflush(NULL);
		_exit(6);
	}
	t_reap(inner_pid, "inner");
	t_reap(pid, "fork of outer");
	make_one("after it");
}

CASE(forks)
{
	CHECK(!pthread_atfork(fork_once, NULL, NULL));
	make_one("before");
	run_inside(fork);
	run_inside(fork_by_hand);
}

static void nothing_to_do(int sig)
{
	forking = sig ? pthread_self() : forking;
}

/*
 * Whose SIGSYS is the program's, its forks are real.
 * Test: fork-among-CASE CASE
 */
CASE(forks_for_real)
{
	CHECK(signal(SIGSYS, nothing_to_do) != SIG_ERR);
	t_signals_again();
	run_forks();
}

static void fork_in_signal(int sig)
{
	(void)sig;
	fork_once();
}

static void take_signal(void)
{
	if (inner)
		raise(SIGUSR1);
}

CASE(forks_in_signal)
{
	CHECK(signal(SIGUSR1, fork_in_signal) != SIG_ERR);
	t_signals_again();
	CHECK(!pthread_atfork(take_signal, NULL, NULL));
	make_one("before");
	run_inside(fork);
	run_inside(_Fork);
	run_inside(fork_by_hand);
}

CASES_MAIN
