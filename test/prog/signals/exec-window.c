/*
 * A signal that is handled while the child is in execve. Argument: what the
 * handler does, or how it is installed. The child execs a file that is no
 * program with megabytes of arguments, so that there is time, and then one
 * that is.
 *
 * Test: -l exec-window-{sleeps,state,jumps,blocks-all,on-stack} {}
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CHILDREN = 56,
	SITES = 8,
	ARGUMENTS = 40,
	ARGUMENT = 100 << 10
};

static const char *how;
static volatile sig_atomic_t jumps;
static volatile int handled, wrong;
static sigjmp_buf back;
static char *stack;

static bool on_stack(const void *at, size_t bytes)
{
	return (uintptr_t)at - (uintptr_t)stack < bytes;
}

static void look_at_state(void)
{
	sigset_t mask;
	stack_t now;

	CHECK(!sigprocmask(SIG_SETMASK, NULL, &mask));
	wrong += !sigismember(&mask, SIGALRM) || sigismember(&mask, SIGUSR2);
	CHECK(!sigaltstack(NULL, &now));
	wrong += (char *)now.ss_sp != stack;
}

static void on_alarm(int sig)
{
	struct timespec t = { 0, 100000 };
	int error = errno;

	(void)sig;
	handled++;
	if (!strcmp(how, "sleeps"))
		nanosleep(&t, NULL);
	else if (!strcmp(how, "state"))
		look_at_state();
	else if (!strcmp(how, "jumps") && jumps)
		siglongjmp(back, 1);
	errno = error;
}

static void install(void)
{
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	stack_t alternate = { .ss_sp = stack = t_anon(1 << 20),
			      .ss_size = 1 << 20 };

	if (!strcmp(how, "blocks-all"))
		sigfillset(&sa.sa_mask);
	if (!strcmp(how, "on-stack"))
		sa.sa_flags |= SA_ONSTACK;
	CHECK(!sigaltstack(&alternate, NULL));
	CHECK(!sigaction(SIGALRM, &sa, NULL));
	t_signals_again();
}

/* The mask that a program inherits, and what it finds when exec fails. */
static void masks_hold(void)
{
	sigset_t mask;
	stack_t now;

	CHECK(!sigprocmask(SIG_SETMASK, NULL, &mask));
	wrong += sigismember(&mask, SIGALRM) || !sigismember(&mask, SIGWINCH);
	CHECK(!sigaltstack(NULL, &now));
	wrong += (char *)now.ss_sp != stack || on_stack(&now, 1 << 20);
}

static char *arguments[ARGUMENTS + 2];

static void make_arguments(void)
{
	int fd = open("no-program", O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
	struct rlimit limit;

	CHECK(fd >= 0 && write(fd, "no program", 10) == 10 && !close(fd));
	CHECK(!getrlimit(RLIMIT_STACK, &limit));
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < 64 << 20)
		t_skip("arguments can't be that long");
	setrlimit(RLIMIT_STACK, &limit);
	arguments[0] = (char *)"no-program";
	for (int i = 1; i <= ARGUMENTS; i++) {
		arguments[i] = t_anon(1 << 20);
		memset(arguments[i], 'a', ARGUMENT);
		arguments[i][ARGUMENT] = 0;
	}
}

static void start_alarm(int us)
{
	struct itimerval t = { .it_value.tv_usec = us };

	CHECK(!setitimer(ITIMER_REAL, &t, NULL));
}

static void child_execs(int i)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGWINCH);
	CHECK(!sigprocmask(SIG_SETMASK, &mask, NULL));
	CHECK(write(2, "", 0) == 0);
	if (sigsetjmp(back, 1) == 0) {
		jumps = 1;
		start_alarm(200 + 100 * (i % 10));
		wrong += execv("no-program", arguments) != -1 ||
			 errno != ENOEXEC;
	}
	jumps = 0;
	masks_hold();
	start_alarm(0);
	wrong += !t_intact(t_area, t_area_bytes);
	t_exec_exit(wrong ? 8 : 7);
}

/* A place at which a child went on alone commits no more. */
#define SITE(n)                          \
	static pid_t fork_##n(void)      \
	{                                \
		pid_t pid = fork();      \
                                         \
		CHECK(pid >= 0);         \
		return pid;              \
	}
SITE(0)
SITE(1)
SITE(2)
SITE(3)
SITE(4)
SITE(5)
SITE(6)
SITE(7)

static pid_t (*const sites[SITES])(void) = { fork_0, fork_1, fork_2, fork_3,
					     fork_4, fork_5, fork_6, fork_7 };

int main(int argc, char **argv)
{
	int odd = 0, status;
	pid_t pid;

	how = argc > 1 ? argv[1] : "sleeps";
	t_start(48);
	install();
	make_arguments();
	for (int i = 0; i < CHILDREN; i++) {
		pid = sites[i % SITES]();
		if (pid == 0)
			child_execs(i);
		CHECK(waitpid(pid, &status, 0) == pid);
		odd += status != 7 << 8;
		if (status != 7 << 8 && odd == 1)
			fprintf(stderr, "status %x\n", (unsigned)status);
	}
	unlink("no-program");
	printf("%d ended otherwise\n", odd);
	return t_end();
}
