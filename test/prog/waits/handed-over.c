/*
 * A child that has written something and then takes longer than its parent
 * may wait, wherever it is. Argument: where. fork returns, the parent changes
 * its memory at once, and the child still has that of the moment of fork. No
 * process but the child is found by any wait, whatever it takes.
 *
 * spins    until its parent writes into shared memory
 * alarmed  until a signal of its own is handled
 * alarm_ends  the same, which ends it
 * no_more  as spins, where the user may have no third process
 * killed   the same; who serves the child's memory is killed: the child may
 *          die of it, nobody may hang
 * execs    in execve, which the parent itself must permit (fanotify, or a
 *          lease)
 * on_trial the same, where the child has written nothing
 * opens    in open, before it has written anything, which the same permits
 * refused  the same, and it is refused; on the way out the child writes into
 *          shared memory, and its end is told
 * confined, crowded
 *          ... and there is no /proc any more, or no descriptor to be had
 * ends     ... and the child ends; waits that a program makes by system calls
 *          of its own find it, and SIGCHLD tells how it ended
 * ends_late  ... when it has waited for something
 * falls    ... by a signal; SIGCHLD has come by the time that its parent has
 *          reaped it
 * unheard  the same, where SIGCHLD is ignored: no wait finds it
 * heard    ... since it has ended
 * borrowed_waits, borrowed_sets, vforked_waits
 *          as falls; before that somebody who has borrowed its parent's memory
 *          waits, or sets SIGCHLD
 * sandboxed_begins, sandboxed_id
 *          in execve, and its parent puts itself under a filter that kills for
 *          what it does not call itself; waits find it, and when it has been
 *          waited for no clone child of the parent's
 * sandboxed_falls
 *          ... and it is refused, and ends by a signal
 * sandboxed_late
 *          ... which it does when the program has begun: waits find no
 *          clone child of the parent's at all
 *
 * Test: -l -b 1500 -k hydrations -e FLATFORK_LEND=off
 *       handed-over-{spins,alarmed,alarm_ends,killed,execs,on_trial} {}
 * Test: -l -b 1500 -k hydrations -e FLATFORK_LEND=off
 *       handed-over-{refused,ends,ends_late,falls,unheard,heard} {}
 * Test: -l -b 1500 -k hydrations -e FLATFORK_LEND=off
 *       -e FLATFORK_VFORK=libc
 *       handed-over-{borrowed_waits,borrowed_sets,vforked_waits} {}
 * Test: -l -b 1500 -k hydrations -e FLATFORK_LEND=off
 *       handed-over-{sandboxed_begins,sandboxed_id,sandboxed_falls} {}
 * Test: -l -b 1500 -k hydrations -e FLATFORK_LEND=off
 *       handed-over-{sandboxed_late} {}
 * Test: -b 1500 -e FLATFORK_LEND=off
 *       handed-over-{no_more,confined,crowded} {}
 * Test: -l -b 1500 -k hydrations -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-asking
 *       unasked-handed-over-{spins,alarmed,alarm_ends,execs,refused,ends} {}
 * Test: -d -l -b 1500 -e FLATFORK_LEND=off -e T_HIDEPID=1
 *       hidden-handed-over-{spins,alarmed,alarm_ends,killed,execs,on_trial} {}
 * Test: -l -b 1500 -k hydrations -e FLATFORK_LEND=off
 *       -e FLATFORK_FAULT=no-mem
 *       served-handed-over-{spins,execs,on_trial,ends_late,falls} {}
 * Test: -b 1500 -e FLATFORK_LEND=off handed-over-opens opens
 * Test: -f -b 1500 lent-handed-over-{execs,on_trial,opens,refused,ends} {}
 * Test: -f -b 1500 lent-handed-over-{ends_late,falls,unheard,heard} {}
 */
#include "deny.h"
#include "permission.h"
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	PROOFS = 2, /* children by which the site becomes known */
	USER = 54321
};

static const char *how;
static volatile int *shared; /* go, on its way */
static int told[2], listener = -1, lease = -1;

static bool is(const char *name)
{
	return !strcmp(how, name);
}

static bool is_borrowed(void)
{
	return is("borrowed_waits") || is("borrowed_sets") ||
	       is("vforked_waits");
}

static bool is_sandboxed(void)
{
	return !strncmp(how, "sandboxed", 9);
}

static bool falls(void)
{
	return is("falls") || is("unheard") || is("heard") || is_borrowed() ||
	       is("sandboxed_falls");
}

static bool is_refused(void)
{
	return is("refused") || is("ends") || is("ends_late") || falls() ||
	       is("confined") || is("crowded");
}

static bool on_trial(void)
{
	return is("on_trial") || is("opens") || is_refused() || is_sandboxed();
}

static bool listens(void)
{
	return is("execs") || on_trial();
}

static bool waits_for_alarm(void)
{
	return is("alarmed") || is("alarm_ends");
}

static volatile sig_atomic_t taken;

static void on_alarm(int sig)
{
	taken = sig;
}

/* No system call that would let the signal in. */
static void wait_for_alarm(void)
{
	signal(SIGALRM, is("alarm_ends") ? SIG_DFL : on_alarm);
	alarm(1);
	while (!taken)
		;
}

static void lack_something(void)
{
	const struct rlimit few = { 20, 20 };
	int fd;

	if (is("confined"))
		CHECK(!chroot("."));
	if (!is("crowded"))
		return;
	CHECK(!setrlimit(RLIMIT_NOFILE, &few));
	for (fd = 3; fd < 20; fd++)
		CHECK(dup2(STDIN_FILENO, fd) == fd);
}

static void child_runs(bool last)
{
	bool intact;

	if (!on_trial())
		CHECK(write(told[1], "c", 1) == 1);
	if (last && waits_for_alarm())
		wait_for_alarm();
	else if (last && !listens())
		while (!shared[0])
			;
	lack_something();
	if (is("opens") && open("./slow", O_RDONLY | O_CLOEXEC) >= 0)
		t_exec_exit(7);
	if (on_trial())
		execl("./slow", "slow",
		      last && is("sandboxed_late") ? "pause" : "exit", "7",
		      (char *)NULL);
	if (on_trial())
		shared[1] = 5;
	if (is("ends_late"))
		t_sleep_ms(300);
	if (is("ends") || is("ends_late") || is("confined") || is("crowded"))
		_exit(7);
	if (falls())
		raise(SIGTERM);
	intact =
		t_intact(t_area, t_area_bytes) && t_intact(t_block(3), T_BLOCK);
	if (last && is("execs")) {
		execl("./slow", "slow", "exit", intact ? "7" : "8",
		      (char *)NULL);
		_exit(9);
	}
	t_exec_exit(intact ? 7 : 8);
}

static void no_third_process(void)
{
	struct rlimit limit = { 2, 2 };

	if (setuid(USER) < 0)
		t_skip("needs root");
	CHECK(!prctl(PR_SET_DUMPABLE, 1));
	CHECK(!setrlimit(RLIMIT_NPROC, &limit));
}

/* What everybody may do to files of their own: who opens it waits. */
static void take_lease(void)
{
	lease = open("slow", O_RDONLY | O_CLOEXEC);
	signal(SIGIO, SIG_IGN);
	t_signals_again();
	if (is_refused() || lease < 0 || fcntl(lease, F_SETLEASE, F_WRLCK) < 0)
		t_skip("no permission events");
}

static void listen_to_execs(void)
{
	listener = make_slow(is("opens") ? FAN_OPEN_PERM : FAN_OPEN_EXEC_PERM);
	if (listener < 0)
		take_lease();
}

static void permit(void)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };
	struct fanotify_event_metadata event;
	struct fanotify_response yes;

	if (lease >= 0) {
		CHECK(!fcntl(lease, F_SETLEASE, F_UNLCK));
		return;
	}
	CHECK(poll(&p, 1, 20000) == 1);
	CHECK(read(listener, &event, sizeof(event)) > 0);
	yes = (struct fanotify_response){ event.fd,
					  is_refused() ? FAN_DENY : FAN_ALLOW };
	CHECK(write(listener, &yes, sizeof(yes)) == sizeof(yes));
	close(event.fd);
}

/* Of all children, the first but @known; 0: there is none. */
static pid_t other_child(pid_t known)
{
	pid_t pid[2] = { 0 };

	t_children(pid, 2);
	return pid[0] != known ? pid[0] : pid[1];
}

/* A system call that no library sees. */
static long by_itself(long nr, long a, long b, void *c, long d)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = 0;
	long rc;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return rc;
}

static void ignore_ends(void)
{
	signal(SIGCHLD, SIG_IGN);
	t_signals_again();
}

static int borrows(void *unused)
{
	(void)unused;
	if (is("borrowed_sets"))
		signal(SIGCHLD, SIG_DFL);
	else
		waitpid(-1, NULL, WNOHANG);
	_exit(3);
}

static void lend_memory(void)
{
	static char stack[64 << 10] __attribute__((aligned(16)));
	int status;
	pid_t pid;

	if (is("vforked_waits")) {
		pid = vfork();
		if (pid == 0)
			borrows(NULL);
	} else {
		pid = clone(borrows, stack + sizeof(stack),
			    CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	printf("borrowed %x\n", (unsigned)status);
}

static void after_fork(pid_t pid)
{
	int status;

	siginfo_t info = { 0 }, ended = { 0 };
	sigset_t sigchld;

	memset(t_area, 0xee, t_area_bytes);
	/* Its alarm may have come by now, on a busy machine. */
	if (!waits_for_alarm()) {
		CHECK(waitpid(-1, NULL, WNOHANG) == 0);
		CHECK(waitpid(pid, NULL, WNOHANG) == 0);
	}
	if (is("killed") && (status = other_child(pid)))
		kill(status, SIGKILL);
	shared[0] = 1;
	if (is_borrowed())
		lend_memory();
	if (listens())
		permit();
	sigemptyset(&sigchld);
	sigaddset(&sigchld, SIGCHLD);
	if (is_refused() && !falls())
		CHECK(sigtimedwait(&sigchld, &info,
				   &(struct timespec){ 20, 0 }) == SIGCHLD);
	if (is("ends") || is("ends_late")) {
		CHECK(info.si_pid == pid);
		printf("code %d status %d\n", info.si_code, info.si_status);
		CHECK(by_itself(SYS_waitid, P_ALL, 0, &ended,
				WEXITED | WNOWAIT) == 0);
		CHECK(ended.si_pid == pid);
	}
	if (is("heard")) {
		CHECK(!waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT));
		ignore_ends();
	}
	if (is("unheard")) {
		CHECK(waitpid(-1, &status, 0) == -1 && errno == ECHILD);
		status = 0;
	} else {
		CHECK(waitpid(is_refused() ? -1 : pid, &status, 0) == pid);
	}
	if (is("falls"))
		CHECK(sigtimedwait(&sigchld, &info,
				   &(struct timespec){ 0, 0 }) == SIGCHLD);
	printf("shared %d\n", shared[1]);
	if (is("killed"))
		printf("it ends: %d\n", status == 7 << 8 || status == SIGKILL);
	else
		printf("status %x\n", (unsigned)status);
	CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
	t_fill(t_area, t_area_bytes);
}

/* Nothing is closed, which would be looked at. */
static void until_begun(pid_t pid)
{
	char path[64], name[8] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	while (strncmp(name, "slow", 4)) {
		t_sleep_ms(10);
		CHECK(pread(fd, name, sizeof(name), 0) > 0);
	}
}

/* Of this process's own; it ends. */
static pid_t make_clone_child(void)
{
	pid_t pid = (pid_t)by_itself(SYS_clone, 0, 0, NULL, 0);

	if (pid == 0)
		by_itself(SYS_exit_group, 5, 0, NULL, 0);
	CHECK(pid > 0);
	return pid;
}

/* Of any child, by calls of one kind. -1: the status is the error. */
static pid_t wait_any(int flags, int *ret_status)
{
	siginfo_t info = { 0 };
	pid_t pid;

	*ret_status = -1;
	if (!is("sandboxed_id")) {
		pid = waitpid(-1, ret_status, flags);
	} else {
		pid = waitid(P_ALL, 0, &info, WEXITED | flags);
		pid = pid < 0 ? pid : info.si_pid;
		*ret_status = info.si_status;
	}
	if (pid < 0)
		*ret_status = errno;
	return pid;
}

/* Whatever it does not call itself ends it. */
static void end_in_sandbox(pid_t pid)
{
	const bool late = is("sandboxed_late");
	siginfo_t info;
	pid_t own = -1;
	int status;

	if (late) {
		permit();
		until_begun(pid);
		own = make_clone_child();
		CHECK(by_itself(SYS_waitid, P_PID, own, &info,
				WEXITED | WNOWAIT | (long)__WCLONE) == 0);
	}
	CHECK(!deny(is("sandboxed_id") ?
			    "wait4=KILL,getpid=KILL,rt_sigaction=KILL" :
			    "waitid=KILL,getpid=KILL,rt_sigaction=KILL"));
	CHECK(wait_any(WNOHANG, &status) == 0);
	if (late)
		CHECK(!kill(pid, SIGKILL));
	else
		permit();
	CHECK(wait_any(0, &status) == pid);
	printf("status %x\n", (unsigned)status);
	if (!late)
		own = make_clone_child();
	CHECK(wait_any(0, &status) == -1 && status == ECHILD);
	CHECK(wait_any((int)__WCLONE, &status) == own);
}

static void block_sigchld(void)
{
	sigset_t sigchld;

	sigemptyset(&sigchld);
	sigaddset(&sigchld, SIGCHLD);
	CHECK(!sigprocmask(SIG_BLOCK, &sigchld, NULL));
	t_signals_again();
	while (sigtimedwait(&sigchld, NULL, &(struct timespec){ 0, 0 }) > 0)
		;
}

int main(int argc, char **argv)
{
	pid_t pid = -1;
	char c;

	how = argc > 1 ? argv[1] : "spins";
	shared = t_shared(4096);
	CHECK(!pipe2(told, O_CLOEXEC));
	if (is("no_more"))
		no_third_process();
	t_start(96);
	if (listens())
		listen_to_execs();
	if (is_refused())
		block_sigchld();
	if (is("unheard"))
		ignore_ends();
	/* volatile: one call of fork, whatever the compiler makes of the loop */
	for (volatile int i = on_trial() ? PROOFS : 0; i <= PROOFS; i++) {
		pid = fork(); /* here: a lent child may not return */
		CHECK(pid >= 0);
		if (pid == 0)
			child_runs(i == PROOFS);
		if (!on_trial())
			CHECK(read(told[0], &c, 1) == 1);
		if (i < PROOFS)
			t_reap(pid, "known");
	}
	if (is_sandboxed())
		end_in_sandbox(pid);
	else
		after_fork(pid);
	unlink("slow");
	if (is_sandboxed())
		return 0;
	if (listener >= 0)
		close(listener);
	if (lease >= 0)
		close(lease);
	return t_end();
}
