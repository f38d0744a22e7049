/*
 * vfork and threads: only the caller waits for the child; several call it at
 * once while another changes its ids; waits find each child once; what the
 * kernel and libc know of the calling thread is afterwards what it was.
 *
 * Test: vfork-threads-CASE CASE
 */
#include "cases.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static volatile int stop;
static volatile long counter;

static void *counts(void *arg)
{
	while (!stop) {
		counter++;
		sched_yield();
	}
	return arg;
}

static pthread_t begin(void *(*f)(void *), void *arg)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, f, arg));
	return thread;
}

static void end(pthread_t thread)
{
	CHECK(!pthread_join(thread, NULL));
}

CASE(suspends_caller)
{
	volatile int went_on = 0, ran = 0, alone = 0;
	pthread_t thread = begin(counts, NULL);
	pid_t pid = vfork();

	if (pid == 0) {
		long first = counter;

		for (int i = 0; i < 2000 && counter < first + 100; i++)
			t_sleep_ms(1);
		ran = counter >= first + 100;
		alone = !went_on;
		_exit(0);
	}
	went_on = 1;
	t_reap(pid, "child");
	stop = 1;
	end(thread);
	printf("another thread ran %d, the caller waited %d\n", ran, alone);
}

/* Two children at once, of two threads. */
static int meet[2][2];

static void *meets(void *arg)
{
	int me = (int)(intptr_t)arg;
	char c;
	pid_t pid = vfork();

	if (pid == 0) {
		if (write(meet[me][1], "x", 1) != 1 ||
		    read(meet[!me][0], &c, 1) != 1)
			_exit(9);
		_exit(3);
	}
	CHECK(waitpid(pid, &me, 0) == pid && me == 3 << 8);
	return NULL;
}

CASE(at_once)
{
	pthread_t thread[2];

	CHECK(!pipe(meet[0]) && !pipe(meet[1]));
	for (intptr_t i = 0; i < 2; i++)
		thread[i] = begin(meets, (void *)i);
	for (int i = 0; i < 2; i++)
		end(thread[i]);
	for (int i = 0; i < 4; i++)
		close(meet[i / 2][i % 2]);
	printf("both met\n");
}

enum {
	THREADS = 4,
	EACH = 60
};

static int bad[THREADS];

/* Another thread's ids may be its own by then: what every user may exec, and
 * nothing preloaded from where not every user may read. */
static FRAME void one(int *ret_bad, int i)
{
	static char *const no_environ[] = { NULL };
	volatile long local = i;
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		local += 1000;
		if (i % 4 == 3)
			_exit(7);
		execle("/bin/sh", "sh", "-c", "exit 7", (char *)NULL,
		       no_environ);
		_exit(90);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 7 << 8 ||
	    local != i + 1000)
		++*ret_bad;
}

static void *many(void *arg)
{
	for (int i = 0; i < EACH; i++)
		one(arg, i);
	return NULL;
}

/* Itself to itself for who may not; there and back for root. */
static void *changes_ids(void *arg)
{
	bool root = !geteuid();
	volatile long *rounds = arg;

	while (!stop) {
		CHECK(!setresuid(-1, -1, -1));
		CHECK(!setresgid(getgid(), getegid(), getgid()));
		if (root) {
			CHECK(!setegid(12345) && !setegid(0));
			CHECK(!seteuid(12345) && !seteuid(0));
		}
		++*rounds;
		usleep(500);
	}
	return NULL;
}

static void in_four(void *(*other)(void *))
{
	volatile long rounds = 0;
	pthread_t thread[THREADS], changer = begin(other, (void *)&rounds);
	int all = 0;

	for (int i = 0; i < THREADS; i++)
		thread[i] = begin(many, &bad[i]);
	for (int i = 0; i < THREADS; i++) {
		end(thread[i]);
		all += bad[i];
	}
	stop = 1;
	end(changer);
	printf("%d children, %d bad, ids changed %d, root %d\n", THREADS * EACH,
	       all, rounds > 0, geteuid() == getuid());
}

CASE(credentials)
{
	in_four(changes_ids);
}

/* In every thread after a change that none missed. */
static void *says_ids(void *arg)
{
	*(int *)arg = (int)syscall(SYS_geteuid);
	return NULL;
}

CASE(ids_of_all)
{
	int seen = -1;
	pthread_t thread;

	if (geteuid())
		t_skip("only root can change its ids");
	for (int i = 0; i < 20; i++) {
		one(&bad[0], i);
		CHECK(!seteuid(12345));
		thread = begin(says_ids, &seen);
		end(thread);
		CHECK(seen == 12345 && syscall(SYS_geteuid) == 12345);
		CHECK(!seteuid(0));
	}
	printf("%d bad\n", bad[0]);
}

static int waited[256], strangers;

static void *waits(void *arg)
{
	int status;
	pid_t pid;

	while (!stop) {
		pid = waitpid(-1, &status, 0);
		if (pid > 0 && WIFEXITED(status))
			waited[WEXITSTATUS(status)]++;
		else if (pid > 0)
			strangers++;
		else
			usleep(200);
	}
	return arg;
}

CASE(waiter)
{
	pthread_t thread = begin(waits, NULL);
	siginfo_t info;
	int lost = 0;

	for (volatile int i = 0; i < 100; i++) {
		pid_t pid = vfork();

		if (pid == 0) {
			char code[8];

			if (i % 2)
				_exit(i);
			snprintf(code, sizeof(code), "%d", i);
			execl(t_report, "report", "exit", code, (char *)NULL);
			_exit(200);
		}
		CHECK(pid > 0);
	}
	while (!waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT))
		t_sleep_ms(1);
	t_sleep_ms(20);
	stop = 1;
	end(thread);
	for (int i = 0; i < 256; i++)
		lost += waited[i] != (i < 100);
	printf("%d lost or doubled, %d strangers\n", lost, strangers);
}

/* Masks are threads' own; the child has the caller's. */
static void *blocks(void *arg)
{
	sigset_t all, now;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	pid = vfork();
	if (pid == 0) {
		execl(t_report, "report", "pending", (char *)NULL);
		_exit(90);
	}
	t_reap(pid, "child");
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	printf("still blocked %d%d\n", sigismember(&now, SIGUSR1),
	       sigismember(&now, SIGTERM));
	return arg;
}

CASE(masks)
{
	end(begin(blocks, NULL));
}

struct identity {
	pid_t tid;
	pthread_t self;
	void *robust;
	void *stack;
	int flags;
};

static struct identity identity(void)
{
	struct identity i = { gettid(), pthread_self(), NULL, NULL, 0 };
	size_t size;
	stack_t ss;

	syscall(SYS_get_robust_list, 0, &i.robust, &size);
	sigaltstack(NULL, &ss);
	i.stack = ss.ss_sp;
	i.flags = ss.ss_flags;
	return i;
}

static void say_identity(const char *who)
{
	static char alt[32 << 10];
	stack_t ss = { .ss_sp = alt, .ss_size = sizeof(alt) };
	pthread_mutex_t mutex;
	pthread_mutexattr_t attr;
	struct identity before, after;
	volatile int no_list = 0, other_tid = 0, same_self = 0, alive = 0,
		     altstack = 0;
	pid_t pid;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&mutex, &attr);
	CHECK(!sigaltstack(&ss, NULL));
	CHECK(!pthread_mutex_lock(&mutex));
	before = identity();
	pid = vfork();
	if (pid == 0) {
		struct identity mine = identity();

		no_list = mine.robust == NULL;
		other_tid = mine.tid != before.tid && mine.tid == getpid();
		same_self = mine.self == before.self;
		alive = sched_getcpu() >= 0;
		altstack = mine.stack == before.stack;
		_exit(6);
	}
	after = identity();
	t_reap(pid, who);
	printf("%s: child: no list %d, own tid %d, same self %d, alive %d, "
	       "altstack %d\n",
	       who, no_list, other_tid, same_self, alive, altstack);
	printf("%s: parent: tid %d, self %d, list %d, altstack %d\n", who,
	       after.tid == before.tid, after.self == before.self,
	       after.robust == before.robust,
	       after.stack == before.stack && after.flags == before.flags);
	CHECK(pthread_mutex_lock(&mutex) == EDEADLK);
	CHECK(!pthread_mutex_unlock(&mutex) && sched_getcpu() >= 0);
	CHECK(!pthread_kill(pthread_self(), 0));
	ss.ss_flags = SS_DISABLE;
	CHECK(!sigaltstack(&ss, NULL));
}

static void *identity_thread(void *arg)
{
	say_identity("thread");
	return arg;
}

CASE(identity)
{
	say_identity("main");
	end(begin(identity_thread, NULL));
	t_signals_again();
}

/* A thread ends, and its memory is reused, right after vfork. */
static void *short_life(void *arg)
{
	one(arg, 3);
	return NULL;
}

CASE(short_lives)
{
	int all = 0;

	for (int i = 0; i < 100; i++) {
		int mine = 0;

		end(begin(short_life, &mine));
		all += mine;
	}
	printf("%d bad\n", all);
}

/* Writes of other threads, to the stack that the child is lent, too. */
static void *writes(void *arg)
{
	volatile long *there = arg;

	while (!stop)
		++*there;
	return NULL;
}

CASE(writers)
{
	volatile long mine = 0;
	pthread_t thread = begin(writes, (void *)&mine);
	int lost = 0;

	for (int i = 0; i < 200; i++) {
		long before = mine;

		one(&bad[0], i);
		lost += mine < before;
	}
	stop = 1;
	end(thread);
	printf("%d lost, %d bad\n", lost, bad[0]);
}

/* Cancelled while it is suspended: after it. */
static void *cancelled(void *arg)
{
	volatile int *done = arg;
	pid_t pid = vfork();

	if (pid == 0) {
		struct timespec t = { 0, 100000000 };

		/* the cancelled thread's state is the child's, too: no point
		 * of cancellation here */
		syscall(SYS_nanosleep, &t, NULL);
		done[0] = 1;
		_exit(3);
	}
	done[1] = done[0];
	for (;;)
		pause();
}

CASE(cancel)
{
	volatile int done[2] = { 0, 0 };
	pthread_t thread = begin(cancelled, (void *)done);
	void *result;

	t_sleep_ms(30);
	pthread_cancel(thread);
	CHECK(!pthread_join(thread, &result));
	printf("cancelled %d, child done %d before it %d\n",
	       result == PTHREAD_CANCELED, done[0], done[1]);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

CASES_MAIN
