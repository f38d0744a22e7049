/*
 * Processes that put themselves under a seccomp filter, which ends who makes
 * a call that they do not make: it must not be made for them. What they do
 * afterwards goes on. Argument: the case.
 *
 * Test: sandboxed-CASE CASE
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void end(void)
{
	sandbox(NO_CALLS);
	_exit(3);
}

CASE(ends)
{
	in_child(end);
}

static void end_by_exit(void)
{
	printf("unflushed\n");
	sandbox(NO_CALLS);
	exit(4);
}

CASE(exits)
{
	in_child(end_by_exit);
}

static void end_strictly(void)
{
	CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	CHECK(write(1, "strictly\n", 9) == 9);
	syscall(SYS_exit, 5);
}

CASE(strict)
{
	in_child(end_strictly);
}

/* As libseccomp does it. */
static void end_by_seccomp(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, code };

	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	_exit(6);
}

CASE(seccomp)
{
	in_child(end_by_seccomp);
}

static void exec(void)
{
	sandbox(NO_QUESTIONS);
	t_exec_say("exec'ed in a sandbox");
}

CASE(execs)
{
	in_child(exec);
}

static void fork_there(void)
{
	pid_t pid;

	sandbox(NO_CALLS);
	for (int i = 0; i < 3; i++) {
		pid = fork();
		if (pid == 0)
			_exit(i);
		t_reap(pid, "its child");
	}
}

static void fork_to_exec(void)
{
	pid_t pid;

	sandbox(NO_QUESTIONS);
	for (int i = 0; i < 3; i++) {
		pid = fork();
		if (pid == 0)
			t_exec_say("exec'ed by its child");
		t_reap(pid, "its child");
	}
}

CASE(forks_to_exec)
{
	in_child(fork_to_exec);
}

CASE(forks)
{
	in_child(fork_there);
}

static void vfork_there(void)
{
	pid_t pid;

	sandbox(NO_CALLS);
	pid = vfork();
	if (pid == 0)
		_exit(7);
	t_reap(pid, "its child");
}

CASE(vforks)
{
	in_child(vfork_there);
}

/* Its own filter is not its parent's. */
CASE(vforked)
{
	pid_t pid = vfork();

	if (pid == 0) {
		sandbox(NO_QUESTIONS);
		execl(t_report, "report", "say", "said there", (char *)NULL);
		_exit(8);
	}
	t_reap(pid, "child");
	CHECK(getpid() > 0);
}

static void spawn_there(void)
{
	char *argv[] = { "report", "say", "spawned", NULL };
	posix_spawn_file_actions_t before, after;
	pid_t pid;

	posix_spawn_file_actions_init(&before);
	posix_spawn_file_actions_addclosefrom_np(&before, 3);
	sandbox(NO_QUESTIONS);
	posix_spawn_file_actions_init(&after);
	posix_spawn_file_actions_addclose(&after, 0);
	CHECK(!posix_spawn(&pid, t_report, &before, NULL, argv, environ));
	t_reap(pid, "before");
	CHECK(!posix_spawn(&pid, t_report, &after, NULL, argv, environ));
	t_reap(pid, "after");
	CHECK(!posix_spawn(&pid, t_report, NULL, NULL, argv, environ));
	t_reap(pid, "without");
	posix_spawn_file_actions_destroy(&before);
	posix_spawn_file_actions_destroy(&after);
}

/* What fails makes libc's calls, too, whatever was made before. */
static void spawn_in_vain(void)
{
	char *argv[] = { "busy", NULL };
	posix_spawn_file_actions_t before;
	posix_spawnattr_t ids;
	int busy = open("busy", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	pid_t pid;

	CHECK(busy >= 0);
	posix_spawn_file_actions_init(&before);
	posix_spawn_file_actions_addclosefrom_np(&before, 50);
	posix_spawnattr_init(&ids);
	posix_spawnattr_setflags(&ids, POSIX_SPAWN_RESETIDS);
	sandbox(NO_QUESTIONS ",prctl=KILL,nanosleep=KILL");
	CHECK(posix_spawn(&pid, "busy", &before, NULL, argv, environ) ==
	      ETXTBSY);
	CHECK(posix_spawn(&pid, "busy", &before, &ids, argv, environ) ==
	      ETXTBSY);
	posix_spawn_file_actions_destroy(&before);
	_exit(6);
}

CASE(spawns)
{
	in_child(spawn_there);
	in_child(spawn_in_vain);
}

static void set_there(void)
{
	sandbox("getpid=KILL,rt_sigprocmask=KILL");
	CHECK(signal(SIGSYS, SIG_IGN) == SIG_DFL);
	CHECK(!madvise(t_area, 4096, MADV_DONTFORK));
	CHECK(!madvise(t_area, 4096, MADV_DOFORK));
}

CASE(sets)
{
	in_child(set_there);
}

/* The group of a child that has exec'ed is not asked for. */
static void come_too_late(void)
{
	int in[2], execed[2];
	char byte;
	pid_t pid;

	CHECK(!pipe2(in, O_CLOEXEC) && !pipe2(execed, O_CLOEXEC));
	pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		execlp("cat", "cat", (char *)NULL);
		_exit(8);
	}
	close(execed[1]);
	CHECK(read(execed[0], &byte, 1) == 0);
	sandbox("getpgid=KILL");
	CHECK(setpgid(pid, pid) == -1 && errno == EACCES);
	close(in[1]);
	t_reap(pid, "who is late for");
}

CASE(groups)
{
	in_child(come_too_late);
}

/*
 * Whether there are filters, it may ask, and no more comes of it.
 * Test: -l sandboxed-CASE CASE
 */
CASE(asks)
{
	pid_t pid;

	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == -1 &&
	      errno == EFAULT);
	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) == -1 &&
	      errno == EFAULT);
	pid = t_fork();
	if (pid == 0)
		t_exec_say("exec'ed");
	t_reap(pid, "child");
}

/* Past every name: nobody else knows of the filter. */
static long raw_prctl(long option, long a, const void *b)
{
	register long fourth __asm__("r10") = 0, fifth __asm__("r8") = 0;
	long rc = SYS_prctl;

	__asm__ volatile("syscall"
			 : "+a"(rc)
			 : "D"(option), "S"(a), "d"(b), "r"(fourth), "r"(fifth)
			 : "rcx", "r11", "memory");
	return rc;
}

static void make_no_processes(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = { 5, code };

	CHECK(!raw_prctl(PR_SET_NO_NEW_PRIVS, 1, NULL));
	CHECK(!raw_prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

/*
 * A child of vfork is killed where it spawns; its parent goes on as ever. But
 * for a lock of libc's spawn from 2.41 on, which stays locked: whoever asks for
 * the disposition of SIGABRT waits for ever, as t_end() would.
 */
static void end_after_killed_in_spawn(void)
{
	char *none[] = { NULL };
	pid_t pid = vfork();

	if (pid == 0) {
		make_no_processes();
		posix_spawn(&pid, "/nowhere", NULL, NULL, none, none);
		_exit(0);
	}
	t_reap(pid, "its child");
	pid = t_fork();
	if (pid == 0)
		t_exec_say("exec'ed");
	t_reap(pid, "its child of fork");
	_exit(6);
}

/*
 * Test: -l -e FLATFORK_FAULT=no-clone3,no-share
 *       sandboxed-CASE CASE
 */
CASE(killed_in_spawn)
{
	in_child(end_after_killed_in_spawn);
}

CASES_MAIN
