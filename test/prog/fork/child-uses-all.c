/*
 * What children do besides: threads with locks and joins, system and popen,
 * posix_spawn, vfork, a deep stack, longjmp and siglongjmp over the frames
 * of the parent, swapcontext, getpwnam, qsort, locale, a timer, FPU modes.
 * All before exec; the results come with the program exec'ed.
 *
 * Test: -l
 * Test: -l -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-mem served-child-uses-all
 */
#include "t.h"

#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

extern char **environ;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int turns;
static jmp_buf plain_jump;
static sigjmp_buf signal_jump;
static volatile int expired;

static void *worker(void *arg)
{
	long good = t_intact(t_area + ((long)arg << 22), 1 << 20);

	for (int i = 0; i < 50; i++) {
		void *p = malloc(5000 * (i + 1));

		pthread_mutex_lock(&lock);
		while (turns % 4 != (long)arg)
			pthread_cond_wait(&cond, &lock);
		turns++;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&lock);
		free(p);
	}
	return (void *)good;
}

static void threads(void)
{
	pthread_t t[4];
	long good = 0;

	for (long i = 0; i < 4; i++)
		CHECK(!pthread_create(&t[i], NULL, worker, (void *)i));
	for (int i = 0; i < 4; i++) {
		void *result;

		pthread_join(t[i], &result);
		good += (long)result;
	}
	t_exec_say("threads: %ld good, %d turns", good, turns);
}

static void children(void)
{
	char *args[] = { "report", "exit", "3", NULL };
	int a = system("exit 5"), status = 0;
	FILE *f = popen("echo six", "r");
	char text[16] = "";
	pid_t pid;

	CHECK(f && fgets(text, sizeof(text), f));
	pclose(f);
	CHECK(!posix_spawn(&pid, t_report, NULL, NULL, args, environ));
	CHECK(waitpid(pid, &status, 0) == pid);
	t_exec_say("children: %d %.3s %d", a >> 8, text, status >> 8);
}

static int deep(int n)
{
	volatile char frame[60000];

	frame[n % 60000] = 1;
	frame[59999] = 2;
	return n ? deep(n - 1) + frame[59999] - 1 : 1;
}

static void deep_stack(void)
{
	t_exec_say("deep stack: %d", deep(100));
}

static void jumps(void)
{
	longjmp(plain_jump, 7);
}

static void signal_jumps(void)
{
	siglongjmp(signal_jump, 8);
}

static int by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

static void libc_things(void)
{
	struct passwd *pw = getpwnam("daemon");
	time_t t = 86400 * 365;
	char date[64];
	int *v = malloc(100000 * sizeof(*v)), sorted = 1;
	unsigned seed = 3;

	for (int i = 0; i < 100000; i++)
		v[i] = rand_r(&seed);
	qsort(v, 100000, sizeof(*v), by_number);
	for (int i = 1; i < 100000; i++)
		sorted &= v[i - 1] <= v[i];
	free(v);
	setenv("TZ", "UTC", 1);
	strftime(date, sizeof(date), "%Y-%m-%d", localtime(&t));
	t_exec_say("libc: %s, %s, %d", pw ? pw->pw_name : "-", date, sorted);
}

static void on_alarm(int sig)
{
	(void)sig;
	expired++;
}

/* The child's own real timer must be its own, and run. */
static void timers(void)
{
	struct itimerval it = { { 0, 0 }, { 0, 2000 } }, none;
	timer_t timer;
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL,
			       .sigev_signo = SIGALRM };
	struct itimerspec its = { { 0, 0 }, { 0, 1000000 } };

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &it, NULL);
	while (!expired)
		;
	CHECK(!timer_create(CLOCK_MONOTONIC, &ev, &timer));
	timer_settime(timer, 0, &its, NULL);
	while (expired < 2)
		;
	getitimer(ITIMER_REAL, &none);
	t_exec_say("timers: %d, left %ld", expired,
		   (long)none.it_value.tv_usec);
}

static void rounding(void)
{
	t_exec_say("rounding mode kept: %d", fegetround() == FE_UPWARD);
}

static void alarm_for_later(void)
{
	alarm(100);
	t_exec_report("itimers");
}

int main(void)
{
	static void (*const acts[])(void) = {
		threads, children,     deep_stack,
		jumps,	 signal_jumps, libc_things,
		timers,	 rounding,     alarm_for_later,
	};
	volatile size_t i;
	int jumped;

	t_start(64);
	fesetround(FE_UPWARD);
	jumped = setjmp(plain_jump);
	if (jumped)
		t_exec_say("longjmp: %d, memory %d", jumped,
			   t_intact(t_area, 65536));
	jumped = sigsetjmp(signal_jump, 1);
	if (jumped)
		t_exec_say("siglongjmp: %d, memory %d", jumped,
			   t_intact(t_area, 65536));
	for (i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		pid_t pid;

		errno = 55;
		pid = t_fork();
		if (pid == 0)
			acts[i]();
		CHECK(errno == 55);
		CHECK(fegetround() == FE_UPWARD);
		t_reap(pid, "child");
	}
	printf("turns here %d\n", turns);
	return t_end();
}
