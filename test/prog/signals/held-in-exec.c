/*
 * A signal for the whole group, which the program handles, comes while the
 * child's exec is held up (fanotify), and then that is refused: parent and
 * child have handled it, once each.
 *
 * Test: -f -b 1500 held-in-exec-CASE CASE
 */
#include "cases.h"
#include "permission.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/fanotify.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	ROUNDS = 5
};

static volatile sig_atomic_t taken;
static volatile int *wanted;
static int listener;

static void on_signal(int sig)
{
	(void)sig;
	taken++;
}

/* Who execs anew is not signalled again. */
static _Noreturn void refuse_all(pid_t group, int sig)
{
	struct fanotify_event_metadata event;
	struct fanotify_response no = { .response = FAN_DENY };

	while (read(listener, &event, sizeof(event)) > 0) {
		if (*wanted) {
			*wanted = 0;
			kill(-group, sig);
			t_sleep_ms(20);
		}
		no.fd = event.fd;
		write(listener, &no, sizeof(no));
		close(event.fd);
	}
	_exit(1);
}

static pid_t start_refuser(int sig)
{
	const pid_t group = getpid();
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(!setpgid(0, 0));
		*wanted = -1;
		refuse_all(group, sig);
	}
	t_until(wanted, -1);
	return pid;
}

static void hold_up(int sig)
{
	pid_t refuser, pid;
	int status;

	wanted = t_shared(4096);
	CHECK(!setpgid(0, 0));
	listener = make_slow(FAN_OPEN_EXEC_PERM);
	if (listener < 0)
		t_skip("no permission events");
	refuser = start_refuser(sig);
	signal(sig, on_signal);
	t_signals_again();
	for (int i = 0; i < ROUNDS; i++) {
		taken = 0;
		*wanted = 1;
		pid = fork(); /* here: a lent child may not return */
		CHECK(pid >= 0);
		if (pid == 0) {
			execl("./slow", "slow", "exit", "7", (char *)NULL);
			_exit(taken);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		printf("child %x, parent %d\n", (unsigned)status, (int)taken);
	}
	kill(refuser, SIGKILL);
	CHECK(waitpid(refuser, NULL, 0) == refuser);
	close(listener);
	unlink("slow");
}

CASE(handled)
{
	hold_up(SIGUSR1);
}

/* Of a fault, but sent. */
CASE(trap)
{
	hold_up(SIGTRAP);
}

CASE(segv)
{
	hold_up(SIGSEGV);
}

CASES_MAIN
