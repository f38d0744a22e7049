/*
 * A child of vfork is stopped while it waits in a call that the kernel goes on
 * with behind a stop: when it is continued, in memory of its own by then, it
 * goes on waiting, and the call does not say that it was interrupted.
 *
 * Test: -w vfork-wrong-stopped-CASE CASE
 */
#include "cases.h"
#include "told.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* The number stands before the instruction: libc's calls look like that, or not. */
#define CALL(nr, a, b, c, d)                                              \
	({                                                                \
		long rc_;                                                 \
		register long d_ __asm__("r10") = (long)(d);              \
		register long e_ __asm__("r8") = 0;                       \
		__asm__ volatile("mov %1, %%eax\n\tsyscall"               \
				 : "=&a"(rc_)                             \
				 : "i"(nr), "D"((long)(a)), "S"((long)(b)), \
				   "d"((long)(c)), "r"(d_), "r"(e_)       \
				 : "rcx", "r11", "memory");               \
		rc_;                                                      \
	})

static int empty[2];

static FRAME pid_t waiting_child(long (*wait)(void))
{
	pid_t pid = start();

	if (pid == 0) {
		tell_who_i_am();
		_exit(wait() == -EINTR ? 4 : 3);
	}
	return pid;
}

static void stopped_in(long (*wait)(void), int killed_by)
{
	pid_t other, pid;
	int status;

	CHECK(!pipe(empty) && !pipe(told));
	other = told_process(SIGSTOP, 0);
	pid = waiting_child(wait);
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	printf("stopped %d\n", WIFSTOPPED(status));
	CHECK(!kill(pid, SIGCONT));
	if (killed_by) {
		t_sleep_ms(200);
		CHECK(!kill(pid, killed_by));
	}
	t_reap(pid, "child");
	t_reap(other, "other");
	close(empty[0]);
	close(empty[1]);
	close(told[1]);
}

static long polls(void)
{
	struct pollfd p = { .fd = empty[0], .events = POLLIN };

	return CALL(SYS_poll, &p, 1, 700, 0);
}

CASE(poll)
{
	stopped_in(polls, 0);
}

static long selects(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(empty[0], &set);
	return CALL(SYS_select, empty[0] + 1, &set, 0, 0);
}

CASE(select)
{
	stopped_in(selects, SIGTERM);
}

static long pauses(void)
{
	return CALL(SYS_pause, 0, 0, 0, 0);
}

CASE(pause)
{
	stopped_in(pauses, SIGTERM);
}

/* What is left is told, and it is not less than it should have been. */
static long sleeps(void)
{
	struct timespec t = { 0, 700000000 }, left = { 0, 0 }, from, to;
	long rc, ms;

	clock_gettime(CLOCK_MONOTONIC, &from);
	rc = CALL(SYS_nanosleep, &t, &left, 0, 0);
	clock_gettime(CLOCK_MONOTONIC, &to);
	ms = (to.tv_sec - from.tv_sec) * 1000 +
	     (to.tv_nsec - from.tv_nsec) / 1000000;
	return ms < 699 || t.tv_nsec != 700000000 ? -EINTR : rc;
}

CASE(nanosleep)
{
	stopped_in(sleeps, 0);
}

static long sleeps_by_clock(void)
{
	struct timespec t = { 0, 700000000 };

	return CALL(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, NULL);
}

CASE(clock_nanosleep)
{
	stopped_in(sleeps_by_clock, 0);
}

CASES_MAIN
