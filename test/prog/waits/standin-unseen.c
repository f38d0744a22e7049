/*
 * Somebody stood in for a process whose child took too long. When that process
 * ends in an ordinary way (argument: which), whoever takes orphans takes none;
 * and while it runs, none is left behind, and none is found by raw waits; and
 * it keeps nothing in use that its parent shares with others, nor, once its
 * child has been waited for, whatever its parent has. And waits past it tell
 * nothing as the kernel does, and of what can't be written to.
 *
 * Test: -l -b 1500 -k hydrations -e FLATFORK_LEND=off
 *       standin-unseen-{return,exit,_exit,exec,raw-exec,stays,stopped} {}
 * Test: -l -b 1500 -k hydrations -e FLATFORK_LEND=off
 *       standin-unseen-{raw-waits,shares,tells,raw-tells} {}
 * Test: -l -b 1500 -k hydrations -e FLATFORK_LEND=off
 *       standin-unseen-sandboxed-{wait,raw-wait,wait3,id,raw-id,nothing}
 *       sandboxed-{}
 */
#include "deny.h"
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PROOFS = 2
};

static const char *how;
static volatile int *go; /* and: it runs */

static bool is(const char *name)
{
	return !strcmp(how, name);
}

static void child_runs(bool last)
{
	CHECK(write(STDOUT_FILENO, "child\n", 6) == 6);
	go[1] = last;
	while (last && !*go)
		;
	if (is("stopped")) /* who stands in is not to be woken */
		t_exec_exit(7);
	t_exec_exit(t_intact(t_area, t_area_bytes) ? 7 : 8);
}

static pid_t hand_over(void)
{
	pid_t pid = 0;

	for (int i = 0; i <= PROOFS; i++) {
		fflush(stdout);
		pid = t_fork();
		if (pid == 0)
			child_runs(i == PROOFS);
		if (i < PROOFS)
			t_reap(pid, "known");
	}
	return pid;
}

/* Who stood in may have ended by now: the close() of a list of children reaps
 * it. */
static void stop_others(pid_t child)
{
	pid_t all[4];
	int i, n = t_children(all, 4);

	for (i = 0; i < n && i < 4; i++)
		if (all[i] != child)
			CHECK(!kill(all[i], SIGSTOP) || errno == ESRCH);
	t_sleep_ms(20);
}

static int until_none_is_left(void)
{
	int left = 0;

	for (int i = 0; i < 2000 && (left = t_children(NULL, 0)); i++)
		t_sleep_ms(10);
	return left;
}

static long wait_by_id(bool raw, int *status)
{
	siginfo_t info = { 0 };
	long rc = raw ? syscall(SYS_waitid, P_ALL, 0, &info, WEXITED | __WALL,
				NULL) :
			waitid(P_ALL, 0, &info, WEXITED | __WALL);

	*status = info.si_status;
	return rc < 0 ? rc : info.si_pid;
}

static long wait_into(siginfo_t *info, int flags)
{
	flags |= (int)__WALL;
	return is("raw-tells") ?
		       syscall(SYS_waitid, P_ALL, 0, info, flags, NULL) :
		       waitid(P_ALL, 0, info, flags);
}

static long wait_once(int *status)
{
	if (is("sandboxed-wait"))
		return waitpid(-1, status, __WALL);
	if (is("sandboxed-wait3"))
		return wait3(status, __WALL, NULL);
	if (is("sandboxed-nothing"))
		return *status = 0, waitpid(-1, NULL, __WALL);
	if (is("sandboxed-id") || is("sandboxed-raw-id"))
		return wait_by_id(is("sandboxed-raw-id"), status);
	return syscall(SYS_wait4, -1, status, __WALL, NULL);
}

static void wait_for_all(pid_t pid)
{
	long found;
	int status;

	*go = 1;
	while ((found = wait_once(&status)) > 0)
		printf("found %s %x\n", found == pid ? "it" : "another",
		       (unsigned)status);
	CHECK(errno == ECHILD);
}

/* Into what can't be written to, too. */
static void say_told(int flags)
{
	siginfo_t told, *closed;
	long rc;

	memset(&told, 0xee, sizeof(told));
	closed =
		mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(closed != MAP_FAILED);
	errno = 0;
	rc = wait_into(&told, flags);
	printf("%ld %s: %d %d %d %d %d %d\n", rc, strerror(errno),
	       told.si_signo, told.si_errno, told.si_code, told.si_pid,
	       (int)told.si_uid, told.si_status);
	errno = 0;
	rc = wait_into(closed, flags);
	printf("%ld %s\n", rc, strerror(errno));
	errno = 0;
	rc = wait_into(NULL, flags);
	printf("%ld %s\n", rc, strerror(errno));
	CHECK(!munmap(closed, 4096));
}

static int tell(pid_t pid)
{
	siginfo_t info = { 0 };

	t_until(&go[1], 1);
	say_told(WEXITED | WNOHANG);
	say_told(WNOHANG);
	*go = 1;
	CHECK(!wait_into(&info, WEXITED) && info.si_pid == pid);
	say_told(WEXITED);
	return t_end();
}

/* Whatever it does not call itself ends it. */
static int end_in_sandbox(pid_t pid)
{
	CHECK(!deny(strstr(how, "id") ? "wait4=KILL,getpid=KILL" :
					"waitid=KILL,getpid=KILL"));
	wait_for_all(pid);
	return 0;
}

/* Of the parent and its child: how often they have it mapped. */
static void say_users(int id)
{
	struct shmid_ds ds;

	CHECK(!shmctl(id, IPC_STAT, &ds));
	printf("attached %ld\n", (long)ds.shm_nattch);
	CHECK(!shmctl(id, IPC_RMID, NULL));
}

static int inner(void)
{
	char *const argv[] = { (char *)"report", (char *)"exit", (char *)"3",
			       NULL };
	int id = -1;
	pid_t pid;

	t_start(96);
	if (is("shares")) {
		id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
		CHECK(id >= 0 && shmat(id, NULL, 0) != (void *)-1);
		CHECK(shmat(id, NULL, SHM_RDONLY) != (void *)-1);
	}
	pid = hand_over();
	if (is("shares")) {
		t_until(&go[1], 1);
		say_users(id);
	}
	if (strstr(how, "sandboxed"))
		return end_in_sandbox(pid);
	if (is("raw-waits")) {
		wait_for_all(pid);
		return t_end();
	}
	if (strstr(how, "tells"))
		return tell(pid);
	if (is("stopped"))
		stop_others(pid);
	*go = 1;
	t_reap(pid, "last");
	if (is("stopped"))
		printf("left: %d\n", t_children(NULL, 0));
	if (is("stays"))
		printf("left: %d\n", until_none_is_left());
	fflush(stdout);
	if (is("_exit"))
		_exit(3);
	if (is("exec"))
		execl(t_report, "report", "exit", "3", (char *)NULL);
	if (is("raw-exec"))
		syscall(SYS_execve, t_report, argv, environ);
	if (is("exit"))
		exit(3);
	return 3;
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	CHECK(argc > 1);
	how = argv[1];
	go = t_shared(4096);
	CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = t_fork();
	if (pid == 0)
		return inner();
	CHECK(pid > 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	*go = 1;
	printf("ended %x\n", (unsigned)status);
	pid = waitpid(-1, &status, __WALL);
	printf("orphans: %s\n", pid > 0 ? "some" : "none");
	return 0;
}
