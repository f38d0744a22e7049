/*
 * A program that starts children in every usual way and says how they ended.
 * What it prints depends on nothing but fork's semantics, so it must be the
 * same whatever the fork under it is.
 *
 * guest [--FAULT] NOOP      NOOP is the child that is exec'ed
 *   --sigsys      handles SIGSYS, as somebody else's sandbox would
 *   --full-fds    no descriptor is free while it forks
 *   --tight-as    RLIMIT_AS leaves 1 MiB
 *   --dropped     it was root, and is a common user by setuid()
 *   --undumpable  its /proc/self/{maps,mem} are closed to a common user
 *   --nested      forks from signal handlers while forks are under way
 *   --secure      exit 77 unless the kernel started it in secure mode
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEAP_BYTES ((size_t)64 << 20)
#define TABLE_SIZE 64
#define STORM_FORKS 40
#define STORM_HANDLED 40

static char *noop;
static unsigned char *heap;
static int global = 1;
static int from_child[2];
static volatile sig_atomic_t sigchld_count;
static volatile sig_atomic_t sigsys_count;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "guest: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void count_sigchld(int sig)
{
	(void)sig;
	sigchld_count++;
}

static void count_sigsys(int sig)
{
	(void)sig;
	sigsys_count++;
}

static void handle(int sig, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler,
				    .sa_flags = SA_RESTART };

	if (sigaction(sig, &action, NULL))
		die("sigaction");
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

/* A child that execs NOOP and ends with @code. Async-signal-safe. */
static pid_t start_exec(const char *path, char *code)
{
	char *argv[] = { (char *)path, code, NULL };
	pid_t pid = fork();

	if (pid == 0) {
		execv(path, argv);
		_exit(errno == ENOENT ? 127 : 126);
	}
	return pid;
}

static void report(const char *what, pid_t pid)
{
	int err = errno;

	if (pid < 0)
		printf("%s: fork: %s\n", what, strerror(err));
	else
		printf("%s: status %#x\n", what, reap(pid));
}

static unsigned long heap_sum(void)
{
	unsigned long sum = 0;

	for (size_t at = 0; at < HEAP_BYTES; at += 4096)
		sum = sum * 31 + heap[at];
	return sum;
}

/* Writes to everything, says what it sees, and never execs. */
static void child_without_exec(int i)
{
	char line[64];
	int n;

	global += i;
	heap[4096] = (unsigned char)i;
	n = snprintf(line, sizeof(line), "global %d sum %lx\n", global,
		     heap_sum());
	if (write(from_child[1], line, (size_t)n) != n)
		_exit(1);
	_exit(10 + i);
}

static void forks_without_exec(void)
{
	for (int i = 1; i <= 3; i++) {
		char line[64] = "";
		pid_t pid = fork();
		ssize_t n;

		if (pid == 0)
			child_without_exec(i);
		if (pid > 0) {
			n = read(from_child[0], line, sizeof(line) - 1);
			printf("child %d wrote %d: %s", i, (int)n, line);
		}
		report("no exec", pid);
	}
}

static void all_forks(void)
{
	static char *const code[] = { "41", "42", "43" };
	pid_t pid;

	for (int i = 0; i < 3; i++)
		report("exec", start_exec(noop, code[i]));
	forks_without_exec();
	report("exec of nothing", start_exec("/nonexistent/program", "1"));
	pid = fork();
	if (pid == 0) {
		int status = reap(start_exec(noop, "77"));

		/* with a full table: room for what it may want at its end */
		close(TABLE_SIZE - 1);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	report("nested", pid);
}

static unsigned long open_descriptors(void)
{
	unsigned long set = 0;

	for (int fd = 0; fd < TABLE_SIZE; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			set |= 1UL << fd;
	return set;
}

static void fill_table(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		die("getrlimit");
	limit.rlim_cur = TABLE_SIZE;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
	while (dup(0) >= 0)
		;
	if (errno != EMFILE)
		die("dup");
}

static void tighten_address_space(void)
{
	struct rlimit limit;
	char line[128];
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || !fgets(line, sizeof(line), f))
		die("/proc/self/statm");
	fclose(f);
	if (getrlimit(RLIMIT_AS, &limit))
		die("getrlimit");
	limit.rlim_cur = strtoul(line, NULL, 10) * 4096 + (1 << 20);
	if (setrlimit(RLIMIT_AS, &limit))
		die("setrlimit");
}

/* --nested: a fork in a signal handler. What happened there is printed later,
 * by the main program. */
static volatile sig_atomic_t hooks_armed;
static volatile sig_atomic_t handled;
static volatile sig_atomic_t handled_well;

/* A fork that a signal interrupts starts anew: the next signal comes a while
 * after this one is dealt with, and there is a last one. */
static void next_alarm(void)
{
	const struct itimerval once = { { 0, 0 }, { 0, 2000 } };

	if (handled < STORM_HANDLED)
		setitimer(ITIMER_REAL, &once, NULL);
}

static void fork_in_handler(int sig)
{
	int err = errno;
	int armed = hooks_armed;

	hooks_armed = 0;
	handled++;
	if (reap(start_exec(noop, "5")) == 5 << 8)
		handled_well++;
	hooks_armed = armed;
	if (sig == SIGALRM)
		next_alarm();
	errno = err;
}

static void raise_in_hook(void)
{
	if (hooks_armed)
		raise(SIGUSR1);
}

static void nested_forks(void)
{
	int well = 0;

	handle(SIGUSR1, fork_in_handler);
	if (pthread_atfork(raise_in_hook, raise_in_hook, NULL))
		die("pthread_atfork");
	hooks_armed = 1;
	report("fork with a fork in its prepare and parent hooks",
	       start_exec(noop, "6"));
	hooks_armed = 0;
	printf("in handlers: %d, %d well\n", (int)handled, (int)handled_well);

	handled = handled_well = 0;
	handle(SIGALRM, fork_in_handler);
	next_alarm();
	for (int i = 0; i < STORM_FORKS || handled < STORM_HANDLED; i++)
		if (reap(start_exec(noop, "7")) == 7 << 8 && i < STORM_FORKS)
			well++;
	printf("forks under a timer that forks: %d of %d well\n", well,
	       STORM_FORKS);
	printf("the timer's: %d of %d well\n", (int)handled_well,
	       STORM_HANDLED);
}

int main(int argc, char *argv[])
{
	const char *fault = argc == 3 ? argv[1] : "";
	unsigned long sum, before;

	if (argc != 2 && argc != 3)
		return 1;
	noop = argv[argc - 1];
	/* valgrind writes out a child's copy of a fuller buffer */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(fault, "--secure") && !getauxval(AT_SECURE))
		return 77;
	heap = mmap(NULL, HEAP_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (heap == MAP_FAILED || pipe2(from_child, O_CLOEXEC))
		die("set up");
	for (size_t at = 0; at < HEAP_BYTES; at += 4096)
		heap[at] = (unsigned char)(at >> 12);
	sum = heap_sum();
	handle(SIGCHLD, count_sigchld);

	if (!strcmp(fault, "--nested")) {
		nested_forks();
		sigchld_count = 0; /* how many the timer made is chance */
	} else if (!strcmp(fault, "--sigsys")) {
		handle(SIGSYS, count_sigsys);
	} else if (!strcmp(fault, "--tight-as")) {
		tighten_address_space();
	} else if (!strcmp(fault, "--undumpable")) {
		if (prctl(PR_SET_DUMPABLE, 0))
			die("PR_SET_DUMPABLE");
	} else if (!strcmp(fault, "--dropped")) {
		if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
			return 77;
	} else if (!strcmp(fault, "--full-fds")) {
		fill_table();
	}
	before = open_descriptors();

	all_forks();
	printf("SIGCHLD %d times\n", (int)sigchld_count);
	printf("memory %s\n",
	       global == 1 && heap_sum() == sum ? "intact" : "CHANGED");
	printf("descriptors %s\n",
	       open_descriptors() == before ? "as before" : "CHANGED");
	if (!strcmp(fault, "--sigsys")) {
		raise(SIGSYS);
		printf("SIGSYS %d times\n", (int)sigsys_count);
	}
	if (!strcmp(fault, "--undumpable") || !strcmp(fault, "--dropped"))
		printf("dumpable %d\n", prctl(PR_GET_DUMPABLE));
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
		printf("a child is LEFT OVER\n");
	if (!strcmp(fault, "--full-fds"))
		for (int fd = 3; fd < TABLE_SIZE; fd++)
			close(fd);
	return 0;
}
