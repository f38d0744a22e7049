/*
 * system() by POSIX: what it returns, what it does to SIGINT, SIGQUIT and
 * SIGCHLD and when it gives them back, in one thread and in many at once,
 * and when it is cancelled.
 *
 * Test:
 */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int caught[65];

static void on_signal(int sig)
{
	caught[sig]++;
}

static void on_action(int sig, void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler };

	sigaddset(&sa.sa_mask, SIGUSR2);
	CHECK(!sigaction(sig, &sa, NULL));
}

static void say(const char *command)
{
	int status;

	fflush(stdout);
	status = system(command);
	printf("system(%s): %#x\n", command, (unsigned)status);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void statuses(void)
{
	printf("is there a shell? %d\n", system(NULL) != 0);
	say("true");
	say("exit 3");
	say("exit 127");
	say("kill -9 $$");
	say("kill -15 $$");
	say("no-such-command 2>/dev/null");
	say("-no-such-option 2>/dev/null");
	say("");
	say("echo out; echo err >&2");
}

/* SIGINT and SIGQUIT do not reach the caller meanwhile; the shell has what
 * the caller had, not the ignoring of them. */
static void signals_of_it(void)
{
	static const char show[] = "grep -E 'Sig(Blk|Ign)' /proc/self/status";

	on_action(SIGINT, on_signal);
	on_action(SIGQUIT, SIG_IGN);
	on_action(SIGCHLD, on_signal);
	t_signals_again();
	say("kill -INT $PPID; kill -QUIT $PPID; kill -USR1 $$; exit 1");
	printf("INT %d QUIT %d\n", caught[SIGINT], caught[SIGQUIT]);
	printf("CHLD %d\n", caught[SIGCHLD] > 0);
	say(show);
	on_action(SIGQUIT, SIG_DFL);
	on_action(SIGINT, SIG_IGN);
	t_signals_again();
	say(show);
	on_action(SIGINT, SIG_DFL);
	on_action(SIGCHLD, SIG_DFL);
	t_signals_again();
}

/* Another thread looks while the shell runs. */
static void while_it_runs(void)
{
	struct sigaction sa;
	FILE *f;
	char line[256];

	on_action(SIGINT, on_signal);
	fflush(stdout);
	CHECK(!system("grep -E 'SigIgn' /proc/$PPID/status >ign; "
		      "grep -E 'SigBlk' /proc/$PPID/status >>ign"));
	f = fopen("ign", "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		fputs(line, stdout);
	fclose(f);
	CHECK(!sigaction(SIGINT, NULL, &sa));
	printf("given back: %d\n", sa.sa_handler == on_signal);
	on_action(SIGINT, SIG_DFL);
}

static void *many(void *arg)
{
	int me = (int)(intptr_t)arg;
	char command[32];

	snprintf(command, sizeof(command), "exit %d", me);
	for (int i = 0; i < 15; i++)
		CHECK(system(command) == me << 8);
	return NULL;
}

static void in_threads(void)
{
	pthread_t thread[8];
	struct sigaction sa;

	on_action(SIGINT, on_signal);
	on_action(SIGQUIT, on_signal);
	for (int i = 0; i < 8; i++)
		CHECK(!pthread_create(&thread[i], NULL, many,
				      (void *)(intptr_t)i));
	for (int i = 0; i < 8; i++)
		CHECK(!pthread_join(thread[i], NULL));
	CHECK(!sigaction(SIGINT, NULL, &sa) && sa.sa_handler == on_signal);
	CHECK(sigismember(&sa.sa_mask, SIGUSR2));
	CHECK(!sigaction(SIGQUIT, NULL, &sa) && sa.sa_handler == on_signal);
	on_action(SIGINT, SIG_DFL);
	on_action(SIGQUIT, SIG_DFL);
	puts("8 threads: all given back");
}

static void *long_one(void *arg)
{
	*(volatile int *)arg = 1;
	system("echo $$ >pid; exec sleep 20");
	*(volatile int *)arg = 2;
	return NULL;
}

/* The shell of a cancelled system() is killed and reaped. */
static void cancelled(void)
{
	volatile int state = 0;
	struct sigaction sa;
	pthread_t thread;
	void *result;
	FILE *f;
	int pid = 0;

	CHECK(!pthread_create(&thread, NULL, long_one, (void *)&state));
	for (int i = 0; i < 4000 && !pid; i++) {
		f = fopen("pid", "re");
		if (f && fscanf(f, "%d", &pid) != 1)
			pid = 0;
		if (f)
			fclose(f);
		t_sleep_ms(5);
	}
	CHECK(pid > 0);
	pthread_cancel(thread);
	CHECK(!pthread_join(thread, &result));
	printf("cancelled: %d, state %d\n", result == PTHREAD_CANCELED, state);
	CHECK(kill(pid, 0) == -1 && errno == ESRCH);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	CHECK(!sigaction(SIGINT, NULL, &sa) && sa.sa_handler == SIG_DFL);
}

/* Who does not want statuses gets none. */
static void ignored_children(void)
{
	on_action(SIGCHLD, SIG_IGN);
	errno = 0;
	printf("children ignored: %d", system("exit 5"));
	printf(", errno %s\n", strerrorname_np(errno));
	on_action(SIGCHLD, SIG_DFL);
}

int main(void)
{
	t_start(4);
	statuses();
	signals_of_it();
	while_it_runs();
	in_threads();
	cancelled();
	ignored_children();
	t_signals_again();
	return t_end();
}
