/*
 * A child makes a thread before it execs, as Ruby's children do, and waits for
 * its end. It is held back until then, and runs alone: what it does, and how it
 * finds itself, is as it is in fork's child.
 *
 * Test: -l -q "rolled back" -e FLATFORK_LEND=off thread-of-child-CASE CASE
 */
#include "thread-of-child.h"

#include <errno.h>
#include <fenv.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

CASE(joined)
{
	in_children(return_it);
}

/* Memory that the child lacks, and memory of its own. */
static void *use_memory(void *arg)
{
	const size_t far = t_area_bytes / 2;
	char block[300000];

	(void)arg;
	memset(block, 1, sizeof(block));
	CHECK(memchr(block, 2, sizeof(block)) == NULL);
	CHECK(t_intact(t_area + far, 65536));
	t_area[far] ^= 1;
	CHECK(!t_intact(t_area + far, 8));
	t_area[far] ^= 1;
	CHECK(t_intact(t_block(t_blocks() / 2), T_BLOCK));
	return "memory";
}

CASE(memory)
{
	in_children(use_memory);
}

/* Who it is: another thread of the same process, which the kernel knows. */
static void *say_who(void *arg)
{
	static char text[200];
	char name[32], folder[64];

	(void)arg;
	snprintf(folder, sizeof(folder), "/proc/self/task/%d", gettid());
	CHECK(!pthread_getname_np(pthread_self(), name, sizeof(name)));
	snprintf(text, sizeof(text), "main %d, name %s, there %d",
		 gettid() == getpid(), name, !access(folder, F_OK));
	return text;
}

CASE(identity)
{
	in_children(say_who);
}

/* Mask, rounding, alternate stack, errno. */
static void *say_state(void *arg)
{
	static char text[200];
	stack_t alternate;
	sigset_t mask;

	(void)arg;
	CHECK(!pthread_sigmask(SIG_SETMASK, NULL, &mask));
	CHECK(!sigaltstack(NULL, &alternate));
	snprintf(text, sizeof(text),
		 "USR1 %d USR2 %d, rounds %d, third %.20f, alternate %x, "
		 "errno %d",
		 sigismember(&mask, SIGUSR1), sigismember(&mask, SIGUSR2),
		 fegetround() == FE_UPWARD, 1.0 / strlen("333"),
		 alternate.ss_flags, errno);
	return text;
}

CASE(state)
{
	static char own[65536];
	const stack_t alternate = { .ss_sp = own, .ss_size = sizeof(own) };
	const stack_t none = { .ss_flags = SS_DISABLE };
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	CHECK(!sigprocmask(SIG_BLOCK, &usr1, NULL));
	CHECK(!sigaltstack(&alternate, NULL));
	CHECK(!fesetround(FE_UPWARD));
	errno = EDOM;
	in_children(say_state);
	CHECK(!fesetround(FE_TONEAREST));
	CHECK(!sigaltstack(&none, NULL));
	CHECK(!sigprocmask(SIG_UNBLOCK, &usr1, NULL));
}

/* What a thread changes of its own is not its maker's. */
static void *change_state(void *arg)
{
	static char own[65536];
	const stack_t alternate = { .ss_sp = own, .ss_size = sizeof(own) };
	sigset_t usr2;

	(void)arg;
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	CHECK(!pthread_sigmask(SIG_BLOCK, &usr2, NULL));
	CHECK(!sigaltstack(&alternate, NULL));
	CHECK(!fesetround(FE_DOWNWARD));
	return NULL;
}

CASE(state_stays)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		result_of(make(change_state, NULL));
		t_exec_say("%s", (char *)say_state(NULL));
	}
	t_reap(pid, "child");
}

/* As Ruby's: it waits for a word, and is told to end. */
static int word, set;

static void *wait_for_word(void *arg)
{
	struct epoll_event event[16];
	uint64_t count;

	(void)arg;
	CHECK(epoll_wait(set, event, 16, -1) == 1 && event[0].data.u32 == 5);
	CHECK(read(word, &count, sizeof(count)) == sizeof(count) && count == 1);
	return "told to end";
}

CASE(timer)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 5 };
	const uint64_t one = 1;
	pthread_t thread;
	pid_t pid;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pid = t_fork();
		if (pid == 0) {
			word = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
			set = epoll_create1(EPOLL_CLOEXEC);
			CHECK(!epoll_ctl(set, EPOLL_CTL_ADD, word, &event));
			thread = make(wait_for_word, NULL);
			CHECK(write(word, &one, sizeof(one)) == sizeof(one));
			t_exec_say("%s", (char *)result_of(thread));
		}
		t_reap(pid, "child");
	}
}

/* One after the other, as many as one likes. */
CASE(several)
{
	pid_t pid = t_fork();
	int i, sum = 0;

	if (pid == 0) {
		for (i = 0; i < 20; i++)
			sum += *(int *)result_of(make(return_it, &i));
		t_exec_say("sum %d", sum);
	}
	t_reap(pid, "child");
}

/* A lock that it leaves behind. */
static pthread_mutex_t mutex;

static void *die_with_lock(void *arg)
{
	CHECK(!pthread_mutex_lock(&mutex));
	return arg;
}

CASE(lock_left)
{
	pthread_mutexattr_t robust;
	pid_t pid;
	int rc;

	CHECK(!pthread_mutexattr_init(&robust));
	CHECK(!pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST));
	CHECK(!pthread_mutex_init(&mutex, &robust));
	pid = t_fork();
	if (pid == 0) {
		result_of(make(die_with_lock, NULL));
		rc = pthread_mutex_lock(&mutex);
		t_exec_say("%s", rc == EOWNERDEAD ? "owner died" : "other");
	}
	t_reap(pid, "child");
}

/* Held back: what it would do is not done before it is waited for. */
static volatile int ran;

static void *run(void *arg)
{
	ran = 1;
	return arg;
}

CASE(held_back)
{
	pthread_t thread;
	pid_t pid = t_fork();
	int before, i;

	if (pid == 0) {
		thread = make(run, NULL);
		for (i = 0; i < 3000000 && !ran; i++)
			;
		before = ran;
		result_of(thread);
		/* which, plain libc does not say */
		t_exec_say("ran %d", before | ran);
	}
	t_reap(pid, "child");
}

CASES_MAIN
