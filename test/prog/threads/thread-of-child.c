/*
 * A child makes a thread before it execs, as Ruby's children do, and waits for
 * its end. It is held back until then, and runs alone: what it does, and how it
 * finds itself, is as it is in fork's child. A child that needs its thread in
 * another way is not lazy, and right.
 *
 * Test: -l -q "rolled back" -e FLATFORK_LEND=off thread-of-child-CASE CASE
 */
#include "cases.h"

#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
	ROUNDS = 3
};

typedef void *thread_function(void *);

static pthread_t make(thread_function *function, void *arg)
{
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, function, arg));
	return thread;
}

static void *result_of(pthread_t thread)
{
	void *result = NULL;

	CHECK(!pthread_join(thread, &result));
	return result;
}

/* Children at one place, each of which makes one thread and says how it went. */
static void in_children(thread_function *function)
{
	pid_t pid;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		pid = t_fork();
		if (pid == 0) {
			const char *said =
				result_of(make(function, (void *)"told"));

			t_exec_say("%s", said);
		}
		t_reap(pid, "child");
	}
}

static void *return_it(void *arg)
{
	return arg;
}

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

/* A signal that it sends to its process, and one to itself: all see them. */
static volatile sig_atomic_t got;

static void on_signal(int sig)
{
	got += sig == SIGUSR1 ? 1 : 10;
}

static void *send_two(void *arg)
{
	CHECK(!kill(getpid(), SIGUSR1));
	CHECK(!pthread_kill(pthread_self(), SIGUSR2));
	return arg;
}

/* Test: -g "rolled back" thread-of-child-CASE CASE */
CASE(signals)
{
	pid_t pid;

	CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
	CHECK(signal(SIGUSR2, on_signal) != SIG_ERR);
	t_signals_again();
	pid = t_fork();
	if (pid == 0) {
		result_of(make(send_two, NULL));
		t_exec_say("%d", (int)got);
	}
	t_reap(pid, "child");
}

/* Not waited for: it is the child's, if there is time. */
/* Test: -g "rolled back" thread-of-child-CASE CASE */
CASE(exec_with)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		make(return_it, NULL);
		t_exec_say("exec");
	}
	t_reap(pid, "child");
}

/* The two talk. */
static sem_t there, back;

static void *answer(void *arg)
{
	CHECK(!sem_wait(&there) && !sem_post(&back));
	return arg;
}

/* Test: -g "rolled back" thread-of-child-CASE CASE */
CASE(talk)
{
	pthread_t thread;
	pid_t pid;

	CHECK(!sem_init(&there, 0, 0) && !sem_init(&back, 0, 0));
	pid = t_fork();
	if (pid == 0) {
		thread = make(answer, "answered");
		CHECK(!sem_post(&there) && !sem_wait(&back));
		t_exec_say("%s", (char *)result_of(thread));
	}
	t_reap(pid, "child");
}

/* One is waited for that waits for another. */
static void *wait_for(void *arg)
{
	return result_of(*(pthread_t *)arg);
}

/* Test: -g "rolled back" thread-of-child-CASE CASE */
CASE(two)
{
	pthread_t first, second;
	pid_t pid = t_fork();

	if (pid == 0) {
		first = make(return_it, "first");
		second = make(wait_for, &first);
		t_exec_say("%s", (char *)result_of(second));
	}
	t_reap(pid, "child");
}

static void *exec_it(void *arg)
{
	t_exec_say("%s", (char *)arg);
}

/* Test: -g "rolled back" thread-of-child-CASE CASE */
CASE(thread_execs)
{
	in_children(exec_it);
}

static void *end_all(void *arg)
{
	(void)arg;
	exit(11);
}

/* Test: -g "rolled back" thread-of-child-CASE CASE */
CASE(thread_ends_all)
{
	in_children(end_all);
}

static void *end_later(void *arg)
{
	t_sleep_ms(20);
	printf("%s\n", (char *)arg);
	exit(12);
}

/* The first thread ends alone, and the other is the process. */
/* Test: -g "rolled back" thread-of-child-CASE CASE */
CASE(first_ends)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		make(end_later, "the other");
		pthread_exit(NULL);
	}
	t_reap(pid, "child");
}

static void *crash(void *arg)
{
	raise(SIGABRT);
	return arg;
}

/* Test: -g "rolled back" thread-of-child-CASE CASE */
CASE(crash)
{
	in_children(crash);
}

static void *wait_long(void *arg)
{
	poll(NULL, 0, 20);
	return arg;
}

/* Test: -g "rolled back" thread-of-child-CASE CASE */
CASE(sleeps)
{
	in_children(wait_long);
}

/* libc changes the ids of all its threads, and waits for each. */
/* Test: -g "rolled back" thread-of-child-CASE CASE */
CASE(ids)
{
	pthread_t thread;
	pid_t pid;

	if (getuid())
		t_skip("not root");
	pid = t_fork();
	if (pid == 0) {
		thread = make(wait_long, "ids");
		CHECK(!setresuid(65534, 65534, 65534));
		result_of(thread);
		t_exec_say("uid %d", (int)getuid());
	}
	t_reap(pid, "child");
}

/* There is no room for one more: the child is told. */
/* Test: -g "rolled back" thread-of-child-CASE CASE */
CASE(no_room)
{
	const struct rlimit none = { 1, 1 };
	pthread_t thread;
	pid_t pid;
	int rc;

	if (getuid())
		t_skip("not root");
	pid = t_fork();
	if (pid == 0) {
		CHECK(!setrlimit(RLIMIT_NPROC, &none));
		CHECK(!setresuid(4711, 4711, 4711));
		rc = pthread_create(&thread, NULL, return_it, NULL);
		t_exec_say("%s", rc == EAGAIN ? "EAGAIN" : "other");
	}
	t_reap(pid, "child");
}

/* A table of descriptors that one of them has for itself. */
static void *look_at_table(void *arg)
{
	return fcntl(*(int *)arg, F_GETFD) < 0 ? "closed" : "open";
}

/* Test: -g "rolled back" thread-of-child-CASE CASE */
CASE(tables)
{
	pthread_t thread;
	pid_t pid = t_fork();
	int fd;

	if (pid == 0) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		thread = make(look_at_table, &fd);
		CHECK(!unshare(CLONE_FILES) && !close(fd));
		t_exec_say("%s", (char *)result_of(thread));
	}
	t_reap(pid, "child");
}

/* Words of the kernel's in shared memory, which the child may not write. */
/* Test: -g "rolled back" thread-of-child-CASE CASE */
CASE(shared_stack)
{
	const size_t bytes = 1 << 20;
	void *stack = t_shared(bytes);
	pthread_attr_t attr;
	pthread_t thread;
	pid_t pid;

	CHECK(!pthread_attr_init(&attr));
	CHECK(!pthread_attr_setstack(&attr, stack, bytes));
	pid = t_fork();
	if (pid == 0) {
		CHECK(!pthread_create(&thread, &attr, return_it, "shared"));
		t_exec_say("%s", (char *)result_of(thread));
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

/* A stack beyond what there is to a process: no thread. Had it one, it would
 * end without it. */
static long make_beyond(struct clone_args *args)
{
	long rc = SYS_clone3;

	__asm__ volatile("syscall\n\t"
			 "testq %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xorl %%edi, %%edi\n\t"
			 "movl %3, %%eax\n\t"
			 "syscall\n"
			 "1:"
			 : "+a"(rc)
			 : "D"(args), "S"(sizeof(*args)), "i"(SYS_exit)
			 : "rcx", "r11", "memory");
	return rc;
}

/* Test: -g "rolled back" thread-of-child-CASE CASE */
CASE(stack_beyond)
{
	const uint64_t end = (uint64_t)1 << 47, bytes = 65536;
	static uint32_t tid;
	static uint64_t control[1024];
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			 CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
			 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
		.parent_tid = (uintptr_t)&tid,
		.child_tid = (uintptr_t)&tid,
		.tls = (uintptr_t)&control[512],
		.stack = end - bytes,
		.stack_size = bytes,
	};
	pid_t pid = t_fork();
	long rc;

	if (pid == 0) {
		rc = make_beyond(&args);
		while (rc > 0 && tid)
			syscall(SYS_futex, &tid, FUTEX_WAIT, rc, NULL);
		t_exec_say("%s", rc < 0 ? "no thread" : "a thread");
	}
	t_reap(pid, "child");
}

CASES_MAIN
