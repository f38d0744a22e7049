/*
 * A storm of signals on a forking parent: interval timers of all three
 * kinds, a second process that sends queued and plain ones, threads that
 * pthread_kill the forking thread. No child handles one, no queued one is
 * lost, no fork fails. Argument: forks; T_FORKS in the environment wins.
 */
#include "t.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int *shared; /* queued got, in children, stop, sent */
static volatile int done;
static pthread_t main_thread;
static pid_t me;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	(void)info;
	if (getpid() != me)
		__atomic_add_fetch(&shared[1], 1, __ATOMIC_SEQ_CST);
	else if (sig == SIGRTMIN)
		__atomic_add_fetch(&shared[0], 1, __ATOMIC_SEQ_CST);
}

static void *killer(void *arg)
{
	(void)arg;
	while (!done) {
		pthread_kill(main_thread, SIGUSR2);
		usleep(3000);
	}
	return NULL;
}

/* A program of its own would be as good; it holds no handler. */
static _Noreturn void sender(void)
{
	/* Never a storm on whoever gets the number of a dead parent. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != me)
		_exit(1);
	while (!shared[2]) {
		if (!sigqueue(me, SIGRTMIN, (union sigval){ 0 }))
			shared[3]++;
		kill(me, SIGUSR1);
		usleep(2500);
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	const char *text = getenv("T_FORKS");
	int forks = text ? atoi(text) : argc > 1 ? atoi(argv[1]) : 500;
	struct sigaction sa = { .sa_sigaction = on_signal,
				.sa_flags = SA_SIGINFO | SA_RESTART };
	static const int sigs[] = { 0,	     SIGUSR1,	SIGUSR2,
				    SIGALRM, SIGVTALRM, SIGPROF };
	struct itimerval it = { { 0, 4100 }, { 0, 4100 } }, off = { 0 };
	pthread_t thread;
	pid_t pid;
	int bad = 0;

	t_start(32);
	me = getpid();
	main_thread = pthread_self();
	shared = t_shared(4096);
	for (size_t i = 0; i < sizeof(sigs) / sizeof(*sigs); i++)
		sigaction(sigs[i] ? sigs[i] : SIGRTMIN, &sa, NULL);
	t_signals_again();
	pid = t_fork();
	if (pid == 0)
		sender();
	pthread_create(&thread, NULL, killer, NULL);
	for (int i = 0; i < 3; i++)
		setitimer(i, &it, NULL);
	for (int i = 0; i < forks; i++) {
		int status;
		pid_t child = t_fork();

		if (child == 0) {
			int fine = t_intact(t_area + (i % 15 << 20), 65536);

			if (i % 8 == 7)
				_exit(fine ? 7 : 8);
			execl(t_report, "report", "exit", fine ? "7" : "8",
			      (char *)NULL);
			_exit(41);
		}
		while (waitpid(child, &status, 0) < 0)
			CHECK(errno == EINTR);
		bad += status != 7 << 8;
	}
	for (int i = 0; i < 3; i++)
		setitimer(i, &off, NULL);
	done = 1;
	pthread_join(thread, NULL);
	shared[2] = 1;
	t_reap(pid, "sender");
	printf("%d forks: %d failed, %d handled in children, queued %s\n",
	       forks, bad, shared[1],
	       shared[0] == shared[3] ? "all arrived" : "LOST");
	return t_end();
}
