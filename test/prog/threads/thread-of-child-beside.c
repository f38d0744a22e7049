/*
 * A child makes a thread before it execs, and needs it beside itself, or one
 * that a child on trial can't have: it is not lazy, and right.
 *
 * Test: -g "rolled back" thread-of-child-CASE CASE
 */
#include "thread-of-child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* A signal that it sends to its process, and one to itself: all see them. Two
 * threads handle them at the same moment. */
static atomic_int got;

static void on_signal(int sig)
{
	atomic_fetch_add(&got, sig == SIGUSR1 ? 1 : 10);
}

static void *send_two(void *arg)
{
	CHECK(!kill(getpid(), SIGUSR1));
	CHECK(!pthread_kill(pthread_self(), SIGUSR2));
	return arg;
}

CASE(signals)
{
	pid_t pid;

	CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
	CHECK(signal(SIGUSR2, on_signal) != SIG_ERR);
	t_signals_again();
	pid = t_fork();
	if (pid == 0) {
		result_of(make(send_two, NULL));
		t_exec_say("%d", atomic_load(&got));
	}
	t_reap(pid, "child");
}

/* Not waited for: it is the child's, if there is time. */
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

CASE(thread_execs)
{
	in_children(exec_it);
}

static void *end_all(void *arg)
{
	(void)arg;
	exit(11);
}

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

CASE(crash)
{
	in_children(crash);
}

static void *wait_long(void *arg)
{
	poll(NULL, 0, 20);
	return arg;
}

CASE(sleeps)
{
	in_children(wait_long);
}

/* libc changes the ids of all its threads, and waits for each. */
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
