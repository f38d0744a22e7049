/*
 * Children that never exec: exit, _exit, return from main's frame, abort,
 * killed by themselves, a crash. Status, pid and SIGCHLD's fields are those
 * of an ordinary child; the parent's memory is not the child's.
 *
 * Test: -f
 */
#include "t.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t count;
static volatile int last_code, last_status;
static volatile pid_t last_pid;

static int *hole; /* nothing is there */

static void on_child(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	count++;
	last_code = info->si_code;
	last_status = info->si_status;
	last_pid = info->si_pid;
}

static void act(int how)
{
	memset(t_area, how, t_area_bytes / 8);
	switch (how) {
	case 0:
		_exit(3);
	case 1:
		exit(4);
	case 2:
		abort();
	case 3:
		raise(SIGTERM);
		break;
	case 4:
		kill(getpid(), SIGKILL);
		break;
	case 5:
		*(volatile int *)hole = 1;
		break;
	case 6:
		quick_exit(5);
	case 7:
		syscall(SYS_exit, 6); /* the thread, not the group */
		break;
	case 8:
		__builtin_trap();
	case 9:
		signal(SIGALRM, SIG_DFL);
		alarm(1);
		for (;;)
			;
	default:
		raise(SIGRTMIN + 3);
	}
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = on_child,
				.sa_flags = SA_SIGINFO | SA_RESTART };

	t_start(64);
	hole = (int *)16;
	sigaction(SIGCHLD, &sa, NULL);
	t_signals_again();
	for (int how = 0; how <= 10; how++) {
		pid_t pid;

		count = 0;
		pid = t_fork();
		if (pid == 0) {
			act(how);
			_exit(99);
		}
		t_reap(pid, "child");
		printf("SIGCHLD %d code %d status %d pid %s\n", (int)count,
		       last_code, last_status,
		       last_pid == pid ? "its" : "WRONG");
	}
	return t_end();
}
