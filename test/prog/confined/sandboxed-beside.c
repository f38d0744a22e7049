/*
 * A process puts itself under a seccomp filter while another of its threads is
 * somewhere in a fork, a vfork or a spawn: what that one has begun is not ended
 * for a call that libc would not make.
 *
 * Test: sandboxed-CASE CASE
 */
#include "sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static volatile int begun, stop;

static void *fork_beside(void *unused)
{
	pid_t pid;

	(void)unused;
	while (!stop) {
		pid = fork();
		if (pid == 0) {
			begun = 1;
			t_exec_exit(0);
		}
		CHECK(pid > 0);
		CHECK(waitpid(pid, NULL, 0) == pid);
		begun++;
	}
	return NULL;
}

/* Another thread is somewhere in a fork when a filter comes for all, that ends
 * who makes calls which libc's fork does not make. */
static void filter_all(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sigaltstack, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigpending, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_waitid, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = { 6, code };
	pthread_t t;

	CHECK(!pthread_create(&t, NULL, fork_beside, NULL));
	while (begun < 3)
		usleep(300);
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		       SECCOMP_FILTER_FLAG_TSYNC, &program));
	stop = 1;
	pthread_join(t, NULL);
	_exit(7);
}

/* Test: -l sandboxed-CASE CASE */
CASE(beside)
{
	for (int i = 0; i < 10; i++)
		in_child(filter_all);
}

/* The same in a vfork or a spawn. As long as it goes on, nobody is joined. */
static void vfork_beside(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
}

static void spawn_beside(void)
{
	char *none[] = { NULL };
	pid_t pid;

	CHECK(posix_spawn(&pid, "/nowhere", NULL, NULL, none, none) == ENOENT);
}

static void (*volatile beside)(void);

static void *go_on_beside(void *unused)
{
	(void)unused;
	for (;;) {
		beside();
		begun++;
	}
	return NULL;
}

/* @either and @or are what libc does not call for it. */
static void filter_all_from(void (*run)(void), int either, int or)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)either, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned) or, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = { 5, code };
	pthread_t t;
	int then;

	beside = run;
	CHECK(!pthread_create(&t, NULL, go_on_beside, NULL));
	while (begun < 3)
		usleep(300);
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		       SECCOMP_FILTER_FLAG_TSYNC, &program));
	then = begun;
	while (begun < then + 3)
		usleep(300);
	_exit(8);
}

static void filter_vforks(void)
{
	filter_all_from(vfork_beside, SYS_rt_sigprocmask, SYS_futex);
}

CASE(beside_vforks)
{
	for (int i = 0; i < 10; i++)
		in_child(filter_vforks);
}

static void filter_spawns(void)
{
	filter_all_from(spawn_beside, SYS_waitid, SYS_getpid);
}

CASE(beside_spawns)
{
	for (int i = 0; i < 10; i++)
		in_child(filter_spawns);
}

CASES_MAIN
