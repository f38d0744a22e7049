/*
 * A signal to the process group (SIGINT, SIGTERM, SIGKILL, SIGHUP) at random
 * moments while a parent forks children that pause: nobody of the group may
 * survive, in particular no child of a parent that died. But for signals that
 * libc's fork blocks (glibc 2.41 and later): one that comes then, and before
 * the clone, is its parent's alone.
 *
 * Test:
 */
#include "t.h"

#include <errno.h>
#include <gnu/libc-version.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	ROUNDS = 40
};

static _Noreturn void victim(void)
{
	setpgid(0, 0);
	for (int n = 0;; n++) {
		pid_t pid = fork();

		if (pid == 0) {
			t_area[n % 1000 << 12] = 1;
			if (n % 4 == 3) {
				for (;;)
					pause();
			}
			t_exec_report("pause");
		}
		if (n % 8 == 7)
			usleep(300);
		if (n > 100) /* enough of them; wait to be killed */
			pause();
	}
}

static int may_miss_a_child(int sig)
{
	return sig != SIGKILL &&
	       strverscmp(gnu_get_libc_version(), "2.41") >= 0;
}

/* Everybody of @group gone within 10 s, reaped by us, a subreaper? */
static int all_gone(pid_t group)
{
	for (int i = 0; i < 10000; i++) {
		while (waitpid(-group, NULL, WNOHANG | __WALL) > 0)
			;
		if (kill(-group, 0) < 0 && errno == ESRCH)
			return 1;
		t_sleep_ms(1);
	}
	return 0;
}

int main(void)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGKILL, SIGHUP };
	unsigned seed = 1;
	int survivors = 0, others = 0;

	t_start(32);
	CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	for (int i = 0; i < ROUNDS; i++) {
		int sig = sigs[i % 4], status;
		pid_t pid = t_fork();

		if (pid == 0)
			victim();
		setpgid(pid, pid);
		usleep(rand_r(&seed) % 12000);
		CHECK(!kill(-pid, sig));
		CHECK(waitpid(pid, &status, 0) == pid);
		others += !WIFSIGNALED(status) || WTERMSIG(status) != sig;
		if (may_miss_a_child(sig))
			kill(-pid, SIGKILL);
		if (!all_gone(pid)) {
			survivors++;
			kill(-pid, SIGKILL);
			all_gone(pid);
		}
	}
	printf("%d rounds: %d with survivors, %d ended otherwise\n", ROUNDS,
	       survivors, others);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	return t_end();
}
