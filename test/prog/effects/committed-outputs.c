/*
 * The last of some children that come from one place does what the others do
 * not: it writes more than it may, gets a signal before its end, or makes
 * descriptors where just as many are free. The others write before they exec,
 * so that it is born committed; those that make pairs do not.
 *
 * Test: -l committed-outputs-CASE CASE
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
	CHILDREN = 7,
	NOFILE = 20,
};

static void limit(int which, rlim_t soft)
{
	struct rlimit rl;

	CHECK(!getrlimit(which, &rl));
	rl.rlim_cur = soft;
	CHECK(!setrlimit(which, &rl));
}

/* A signal that a call raises is taken there and then. */
static int writes_too_much(void)
{
	int fd = open("long", O_WRONLY | O_CREAT | O_TRUNC, 0644);

	limit(RLIMIT_FSIZE, 1000);
	if (write(fd, t_area, 4000) != 1000)
		return 0;
	write(fd, t_area, 4000); /* this one ends it */
	close(open("later", O_WRONLY | O_CREAT, 0644));
	return 0;
}

static volatile sig_atomic_t taken;

static void on_signal(int sig)
{
	(void)sig;
	taken++;
}

static int handles_too_much(void)
{
	signal(SIGXFSZ, on_signal);
	limit(RLIMIT_FSIZE, 0);
	return write(open("long", O_WRONLY | O_CREAT, 0644), t_area, 9) == -1 &&
	       errno == EFBIG && taken == 1;
}

/* A signal that came in time is taken before the end. */
static void wait_for_alarm(void)
{
	struct itimerval soon = { .it_value.tv_usec = 5000 };
	struct timespec start, now;

	CHECK(!setitimer(ITIMER_REAL, &soon, NULL));
	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec -
		       start.tv_nsec <
	       30000000);
}

static int ends_too_late(void)
{
	wait_for_alarm();
	_exit(9);
}

static void exit_at_alarm(int sig)
{
	_exit(sig);
}

static int handles_before_the_end(void)
{
	signal(SIGALRM, exit_at_alarm);
	wait_for_alarm();
	_exit(9);
}

static int notices_alarm(void)
{
	signal(SIGALRM, on_signal);
	wait_for_alarm();
	getppid();
	return taken == 1;
}

/* What is ignored is not waiting, unless the program blocks it. */
static int ignores_alarm(void)
{
	sigset_t set;

	signal(SIGALRM, SIG_IGN);
	wait_for_alarm();
	sigemptyset(&set);
	return !sigpending(&set) && !sigismember(&set, SIGALRM);
}

/* It came while it was ignored: it is gone, whatever is done with the next. */
static int handles_what_it_ignored(void)
{
	signal(SIGALRM, SIG_IGN);
	wait_for_alarm();
	signal(SIGALRM, on_signal);
	getppid();
	getppid();
	return taken == 0;
}

static int dies_of_what_it_ignored(void)
{
	signal(SIGALRM, SIG_IGN);
	wait_for_alarm();
	signal(SIGALRM, SIG_DFL);
	getppid();
	return getppid() > 0;
}

/* Nor does the next program find it. */
static int blocks_what_it_ignored(void)
{
	sigset_t set;

	signal(SIGALRM, SIG_IGN);
	wait_for_alarm();
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	t_exec_report("pending");
}

/* All numbers below the limit, but these. */
static void leave_free(const int *numbers)
{
	limit(RLIMIT_NOFILE, NOFILE);
	while (fcntl(2, F_DUPFD_CLOEXEC, 0) >= 0)
		;
	CHECK(errno == EMFILE);
	for (; *numbers; numbers++)
		close(*numbers);
}

static int makes_files(void)
{
	static const char *const names[] = { "one", "two", "three", "four" };
	static const int numbers[] = { 4, 12, 13, 14 };
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;

	for (int i = 0; i < 4; i++)
		if (open(names[i], flags, 0600) != numbers[i])
			return 0;
	return open("five", flags, 0600) == -1 && errno == EMFILE &&
	       access("five", F_OK) == -1;
}

static int makes_pair(void)
{
	int two[2];
	char got[2];

	return !pipe2(two, O_CLOEXEC) && two[0] == 4 && two[1] == 14 &&
	       write(two[1], "x", 1) == 1 && read(two[0], got, 2) == 1;
}

static int makes_sockets(void)
{
	int two[2];
	char got[2];

	return !socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, two) &&
	       two[0] == 4 && two[1] == 14 && write(two[0], "x", 1) == 1 &&
	       read(two[1], got, 2) == 1;
}

static int makes_from_above(void)
{
	return fcntl(2, F_DUPFD_CLOEXEC, 5) == 14 &&
	       fcntl(2, F_DUPFD_CLOEXEC, 15) == 15 &&
	       fcntl(2, F_DUPFD_CLOEXEC, 5) == -1 && errno == EMFILE &&
	       fcntl(2, F_DUPFD_CLOEXEC, 1) == 4 &&
	       fcntl(2, F_DUPFD_CLOEXEC, NOFILE) == -1 && errno == EINVAL;
}

/* None is open up there, for the program. */
static int duplicates_none(void)
{
	/* downwards: what makes way goes up */
	for (int from = 1030; from > 1010; from--)
		for (int to = from; to > 1010; to--)
			if (dup2(from, to) != -1 || errno != EBADF ||
			    dup3(from, to, O_CLOEXEC) != -1 ||
			    errno != (from == to ? EINVAL : EBADF))
				return 0;
	return 1;
}

/* The pager's come to lie below numbers that are free. */
static const struct {
	const char *name;
	int (*is_right)(void);
	bool writes;
	int free[8];
} cases[] = {
	T_CASE("writes-too-much", writes_too_much, true, { 0 }),
	T_CASE("handles-too-much", handles_too_much, true, { 0 }),
	T_CASE("ends-too-late", ends_too_late, true, { 0 }),
	T_CASE("handles-before-the-end", handles_before_the_end, true, { 0 }),
	T_CASE("notices-alarm", notices_alarm, true, { 0 }),
	T_CASE("notices-alarm-on-trial", notices_alarm, false, { 0 }),
	T_CASE("ignores-alarm", ignores_alarm, false, { 0 }),
	T_CASE("handles-ignored", handles_what_it_ignored, true, { 0 }),
	T_CASE("dies-of-ignored", dies_of_what_it_ignored, true, { 0 }),
	T_CASE("blocks-ignored", blocks_what_it_ignored, true, { 0 }),
	T_CASE("blocks-ignored-on-trial", blocks_what_it_ignored, false, { 0 }),
	T_CASE("duplicates-none", duplicates_none, false, { 0 }),
	T_CASE("files", makes_files, true, { 4, 12, 13, 14 }),
	T_CASE("pair", makes_pair, false, { 4, 14, 15 }),
	T_CASE("sockets", makes_sockets, false, { 4, 14, 15 }),
	T_CASE("from-above", makes_from_above, false, { 4, 14, 15 }),
};

int main(int argc, char **argv)
{
	size_t which = 0;
	pid_t pid;

	CHECK(argc == 2);
	while (strcmp(cases[which].name, argv[1]))
		which++;
	if (cases[which].free[0])
		leave_free(cases[which].free);
	t_start(64);
	for (int i = 0; i < CHILDREN; i++) {
		pid = t_fork();
		if (pid == 0) {
			if (cases[which].writes)
				CHECK(write(1, "", 0) == 0);
			if (i < CHILDREN - 1)
				t_exec_exit(5);
			t_exec_exit(cases[which].is_right() ? 7 : 8);
		}
		t_reap(pid, "child");
	}
	printf("later %d\n", access("later", F_OK));
	return t_end();
}
