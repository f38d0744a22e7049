/*
 * posix_spawn among signals: what the child has of them, handlers that run
 * in the parent only, spawning from a handler and on an alternate stack,
 * fork handlers that do not run, cancellation that waits.
 *
 * Argument: masks | handler | storm | cancel | atfork
 *
 * Test: spawn-signals-{masks,handler,storm,cancel,atfork} {}
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int *shared; /* handlers in children, fork handlers */
static volatile int handled;
static pid_t me;

static void on_signal(int sig)
{
	(void)sig;
	if (getpid() != me)
		__atomic_add_fetch(&shared[0], 1, __ATOMIC_SEQ_CST);
	handled++;
}

static const char *program = t_report;

static int spawn_wait(const char *topic, const posix_spawnattr_t *at)
{
	char *argv[] = { "report", (char *)topic, "7", NULL };
	int status, rc;
	pid_t pid;

	rc = posix_spawn(&pid, program, NULL, at, argv, environ);
	if (rc)
		return -rc;
	while (waitpid(pid, &status, 0) < 0)
		CHECK(errno == EINTR);
	return status;
}

static void on_action(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	CHECK(!sigaction(sig, &sa, NULL));
}

/* Every signal in another way, with and without attributes. */
static void masks(void)
{
	posix_spawnattr_t at;
	sigset_t set;

	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP && sig != SIGCHLD)
			on_action(sig,
				  sig % 3 ? sig % 3 == 1 ? on_signal : SIG_IGN :
					    SIG_DFL,
				  SA_RESTART);
	on_action(SIGRTMIN, on_signal, 0);
	on_action(SIGRTMAX, SIG_IGN, 0);
	sigemptyset(&set);
	for (int sig = 2; sig < 32; sig += 2)
		sigaddset(&set, sig);
	sigprocmask(SIG_SETMASK, &set, NULL);
	raise(SIGUSR2); /* pending in the parent, nowhere else */
	fflush(stdout);
	CHECK(!spawn_wait("pending", NULL));
	CHECK(!posix_spawnattr_init(&at));
	sigfillset(&set);
	CHECK(!posix_spawnattr_setsigdefault(&at, &set));
	CHECK(!posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGDEF));
	puts("all by default");
	CHECK(!spawn_wait("pending", &at));
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	CHECK(!posix_spawnattr_setsigmask(&at, &set));
	CHECK(!posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK));
	puts("one blocked");
	CHECK(!spawn_wait("pending", &at));
	sigpending(&set);
	printf("still pending: %d\n", sigismember(&set, SIGUSR2));
	posix_spawnattr_destroy(&at);
	t_signals_again();
	/* ended children leave nothing */
	on_action(SIGCHLD, SIG_IGN, 0);
	CHECK(!posix_spawn(&(pid_t){ 0 }, t_report, NULL, NULL,
			   (char *[]){ "report", "exit", "1", NULL }, environ));
	CHECK(wait(NULL) == -1 && errno == ECHILD);
	on_action(SIGCHLD, SIG_DFL, 0);
}

static volatile int in_handler;

static void spawn_in_handler(int sig)
{
	(void)sig;
	in_handler = spawn_wait("exit", NULL);
}

static void from_handlers(void)
{
	stack_t ss = { .ss_size = 32 << 10 }, off = { .ss_flags = SS_DISABLE };

	ss.ss_sp = mmap(NULL, ss.ss_size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(ss.ss_sp != MAP_FAILED && !sigaltstack(&ss, NULL));
	for (int flags = 0; flags <= SA_ONSTACK; flags += SA_ONSTACK) {
		on_action(SIGUSR1, spawn_in_handler, flags);
		for (int i = 0; i < 20; i++) {
			in_handler = -1;
			raise(SIGUSR1);
			CHECK(in_handler == 7 << 8);
		}
	}
	on_action(SIGUSR1, SIG_DFL, 0);
	sigaltstack(&off, NULL);
	munmap(ss.ss_sp, ss.ss_size);
	puts("40 spawned in handlers");
}

/* Handlers that spawn interrupt a spawn. */
static void storm(void)
{
	struct itimerval it = { { 0, 1700 }, { 0, 1700 } }, off = { 0 };
	int bad = 0;

	on_action(SIGALRM, on_signal, SA_RESTART);
	on_action(SIGPROF, spawn_in_handler, SA_RESTART);
	setitimer(ITIMER_REAL, &it, NULL);
	it.it_interval.tv_usec = it.it_value.tv_usec = 9000;
	setitimer(ITIMER_PROF, &it, NULL);
	for (int i = 0; i < 300; i++) {
		program = i % 5 ? t_report : "missing";
		bad += spawn_wait("exit", NULL) != (i % 5 ? 7 << 8 : -ENOENT);
		program = t_report;
	}
	setitimer(ITIMER_REAL, &off, NULL);
	setitimer(ITIMER_PROF, &off, NULL);
	on_action(SIGALRM, SIG_DFL, 0);
	on_action(SIGPROF, SIG_DFL, 0);
	printf("300 in a storm: %d wrong, %s\n", bad,
	       handled ? "handlers ran" : "NO handler ran");
	printf("handlers in children: %d\n", shared[0]);
}

static void *spawn_cancelled(void *arg)
{
	pid_t *pid = arg;
	char *argv[] = { "report", "exit", "7", NULL };
	int old;

	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &old);
	pthread_cancel(pthread_self());
	/* no cancellation point: it comes back */
	CHECK(!posix_spawn(pid, t_report, NULL, NULL, argv, environ));
	pthread_testcancel();
	return NULL;
}

static void cancelled(void)
{
	int thrown = 0;

	for (int i = 0; i < 50; i++) {
		pthread_t thread;
		void *result;
		pid_t pid = -1;
		int status;

		CHECK(!pthread_create(&thread, NULL, spawn_cancelled, &pid));
		CHECK(!pthread_join(thread, &result));
		thrown += result == PTHREAD_CANCELED;
		CHECK(waitpid(pid, &status, 0) == pid && status == 7 << 8);
	}
	printf("cancelled after the spawn: %d\n", thrown);
}

static void on_fork(void)
{
	__atomic_add_fetch(&shared[1], 1, __ATOMIC_SEQ_CST);
}

static void no_fork_handlers(void)
{
	FILE *f;

	CHECK(!pthread_atfork(on_fork, on_fork, on_fork));
	CHECK(spawn_wait("exit", NULL) == 7 << 8);
	CHECK(system("exit 3") == 3 << 8);
	f = popen("exit 4", "r");
	CHECK(f && pclose(f) == 4 << 8);
	printf("fork handlers run: %d\n", shared[1]);
}

int main(int argc, char **argv)
{
	const char *topic = argc > 1 ? argv[1] : "";

	t_start(4);
	me = getpid();
	shared = t_shared(4096);
	if (!strcmp(topic, "masks"))
		masks();
	else if (!strcmp(topic, "handler"))
		from_handlers();
	else if (!strcmp(topic, "storm"))
		storm();
	else if (!strcmp(topic, "cancel"))
		cancelled();
	else
		no_fork_handlers();
	if (strcmp(topic, "masks"))
		t_signals_again();
	else
		return puts("end") < 0; /* a signal stays pending */
	return t_end();
}
