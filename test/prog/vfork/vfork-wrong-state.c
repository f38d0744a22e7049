/*
 * Children of vfork that change what a process has - descriptors, directory,
 * mask, dispositions, group, session - or much memory, and then return from
 * the function that called vfork: they keep all of it, their parent has none
 * of it.
 *
 * Test: -w vfork-wrong-state-CASE CASE
 */
#define CASES_MIB 256
#include "cases.h"
#include "libc_keeps.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

static FRAME pid_t after(void (*change)(void))
{
	pid_t pid = start();

	if (pid == 0)
		change();
	return pid;
}

static void compare(void (*change)(void), void (*say)(const char *who))
{
	pid_t pid = after(change);

	if (pid == 0) {
		scribble_below();
		say("child");
		exit(3);
	}
	t_reap(pid, "child");
	say("parent");
}

static int ends[2];

static void change_fds(void)
{
	close(ends[0]);
	dup2(1, 30);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	close(open("/dev/null", O_RDONLY));
	open("/dev/zero", O_RDONLY);
}

static void say_fds(const char *who)
{
	struct stat zero, st;

	CHECK(!stat("/dev/zero", &zero));
	printf("%s:", who);
	for (int fd = 0; fd < 40; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags < 0 || fstat(fd, &st))
			continue;
		printf(" %d%s%s", fd, flags ? "e" : "",
		       st.st_rdev && st.st_rdev == zero.st_rdev ? "z" : "");
	}
	printf("\n");
}

CASE(descriptors)
{
	CHECK(!pipe(ends));
	compare(change_fds, say_fds);
	if (is_child())
		return;
	close(ends[0]);
	close(ends[1]);
}

static void change_fs(void)
{
	CHECK(!chdir("/"));
	umask(0177);
}

static void say_fs(const char *who)
{
	char cwd[4096];
	mode_t mask = umask(0);

	umask(mask);
	CHECK(getcwd(cwd, sizeof(cwd)));
	printf("%s: in the root %d, umask %o\n", who, !strcmp(cwd, "/"), mask);
}

CASE(directory)
{
	compare(change_fs, say_fs);
}

static void change_group(void)
{
	CHECK(!setpgid(0, 0));
}

static void change_session(void)
{
	CHECK(setsid() > 0);
}

static void say_group(const char *who)
{
	printf("%s: leads its group %d, its session %d, group of the parent "
	       "%d\n",
	       who, getpgrp() == getpid(), getsid(0) == getpid(),
	       getpgrp() == getpgid(getppid()));
}

CASE(group)
{
	compare(change_group, say_group);
}

CASE(session)
{
	compare(change_session, say_group);
}

/* The pid that the parent gets is the one its child leads a group by. */
CASE(group_seen)
{
	int told[2], go[2];
	char c;
	pid_t pid;

	CHECK(!pipe(told) && !pipe(go));
	pid = after(change_group);
	if (pid == 0) {
		CHECK(write(told[1], "x", 1) == 1);
		CHECK(read(go[0], &c, 1) == 1);
		exit(4);
	}
	CHECK(read(told[0], &c, 1) == 1);
	printf("group is the pid: %d, alive %d\n", getpgid(pid) == pid,
	       !kill(-pid, 0));
	CHECK(write(go[1], "x", 1) == 1);
	t_reap(pid, "child");
	for (int i = 0; i < 2; i++) {
		close(told[i]);
		close(go[i]);
	}
}

static volatile int usr1, usr2;

static void on_usr1(int sig)
{
	(void)sig;
	usr1++;
}

static void on_usr2(int sig)
{
	(void)sig;
	usr2++;
}

static void change_signals(void)
{
	sigset_t set;

	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, on_usr2);
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void say_signals(const char *who)
{
	sigset_t mask;

	printf("%s:", who);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int s = 1; s <= SIGRTMAX; s++) {
		struct sigaction sa;

		if (sigaction(s, NULL, &sa))
			continue;
		if (sigismember(&mask, s))
			printf(" b%d", s);
		if (sa.sa_handler == SIG_IGN)
			printf(" i%d", s);
		else if (sa.sa_handler == on_usr1)
			printf(" 1:%d", s);
		else if (sa.sa_handler == on_usr2)
			printf(" 2:%d", s);
		else if (sa.sa_handler != SIG_DFL)
			printf(" c%d", s);
	}
	raise(SIGUSR2);
	raise(SIGHUP);
	printf(" usr1 %d usr2 %d\n", usr1, usr2);
}

CASE(dispositions)
{
	sigset_t set;

	signal(SIGUSR1, on_usr1);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGHUP, on_usr1);
	sigemptyset(&set);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	t_signals_again();
	compare(change_signals, say_signals);
	if (is_child())
		return;
	raise(SIGUSR1);
	printf("parent: usr1 %d usr2 %d\n", usr1, usr2);
}

static char altstack[65536];

static void change_altstack(void)
{
	stack_t ss = { .ss_sp = altstack, .ss_size = sizeof(altstack) };

	CHECK(!sigaltstack(&ss, NULL));
}

static void say_altstack(const char *who)
{
	stack_t ss;

	sigaltstack(NULL, &ss);
	printf("%s: altstack %s\n", who,
	       ss.ss_flags & SS_DISABLE ? "none" :
	       ss.ss_sp == altstack	? "the child's" :
					  "other");
}

CASE(altstack)
{
	compare(change_altstack, say_altstack);
}

/* What fork and vfork leave of the parent's in a child. */
static void change_nothing(void)
{
}

static void say_inherited(const char *who)
{
	struct itimerval timer;
	stack_t ss;
	sigset_t pending;

	sigaltstack(NULL, &ss);
	getitimer(ITIMER_REAL, &timer);
	sigpending(&pending);
	printf("%s: altstack %d, timer %d, pending %d\n", who,
	       ss.ss_sp == altstack, timer.it_value.tv_sec != 0,
	       sigismember(&pending, SIGUSR1));
}

CASE(inherited)
{
	struct itimerval timer = { { 0, 0 }, { 100, 0 } };
	sigset_t set;

	change_altstack();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	t_signals_again();
	raise(SIGUSR1);
	setitimer(ITIMER_REAL, &timer, NULL);
	compare(change_nothing, say_inherited);
}

/* Attributes of the task: a new process has to be given them again. */
static void change_task(void)
{
	struct rlimit limit = { 100, 200 };
	struct sched_param param = { 0 };
	cpu_set_t one;

	CHECK(!setpriority(PRIO_PROCESS, 0, 5));
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	CHECK(!prctl(PR_SET_NAME, "renamed"));
	CHECK(!prctl(PR_SET_TIMERSLACK, 12345));
	CHECK(!prctl(PR_SET_PDEATHSIG, SIGKILL));
	CHECK(!prctl(PR_SET_KEEPCAPS, 1));
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!sched_setscheduler(0, SCHED_BATCH, &param));
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	CHECK(!sched_setaffinity(0, sizeof(one), &one));
	alarm(1000);
}

static void say_task(const char *who)
{
	struct rlimit limit;
	char name[17] = "";
	int death = 0;
	cpu_set_t cpus;

	getrlimit(RLIMIT_NOFILE, &limit);
	prctl(PR_GET_NAME, name);
	prctl(PR_GET_PDEATHSIG, &death);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	printf("%s: nice %d, files %d, name %s, slack %d, death %d, keepcaps "
	       "%d, no new privs %d, policy %d, one CPU %d, alarm %d\n",
	       who, getpriority(PRIO_PROCESS, 0), limit.rlim_cur == 100,
	       !strcmp(name, "renamed") ? name : "its own",
	       prctl(PR_GET_TIMERSLACK), death, prctl(PR_GET_KEEPCAPS),
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), sched_getscheduler(0),
	       CPU_COUNT(&cpus) == 1, alarm(0) > 0);
}

CASE(task)
{
	compare(change_task, say_task);
}

static void change_no_flag(void)
{
}

static void say_flags(const char *who)
{
	static const int asked[] = { SIGCHLD, SIGUSR2 };
	struct sigaction act;
	int i;

	for (i = 0; i < 2; i++) {
		CHECK(!sigaction(asked[i], NULL, &act));
		printf("%s: of %d no zombies %d, no stops %d, again %d, mask "
		       "%d\n",
		       who, asked[i], !!(act.sa_flags & SA_NOCLDWAIT),
		       !!(act.sa_flags & SA_NOCLDSTOP),
		       !!(act.sa_flags & SA_NODEFER),
		       sigismember(&act.sa_mask, SIGTERM));
	}
}

/* Flags mean something where there is no handler, too. */
CASE(flags_alone)
{
	struct sigaction act = { .sa_handler = SIG_DFL,
				 .sa_flags = SA_NOCLDSTOP | SA_NODEFER };

	sigaddset(&act.sa_mask, SIGTERM);
	CHECK(!sigaction(SIGCHLD, &act, NULL));
	act.sa_handler = SIG_IGN;
	CHECK(!sigaction(SIGUSR2, &act, NULL));
	t_signals_again();
	compare(change_no_flag, say_flags);
}

static void change_zombies(void)
{
	struct sigaction act = { .sa_handler = SIG_DFL };

	CHECK(!sigaction(SIGCHLD, &act, NULL));
}

CASE(flags_taken_away)
{
	struct sigaction act = { .sa_handler = SIG_DFL,
				 .sa_flags = SA_NOCLDSTOP };

	CHECK(!sigaction(SIGCHLD, &act, NULL));
	t_signals_again();
	compare(change_zombies, say_flags);
}

/* Not inherited by a fork: it has to be one when it asks for it. */
static void change_reaper(void)
{
	CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1));
}

static void say_reaper(const char *who)
{
	int reaps = -1;

	CHECK(!prctl(PR_GET_CHILD_SUBREAPER, &reaps));
	printf("%s: reaps %d\n", who, reaps);
}

CASE(reaper)
{
	compare(change_reaper, say_reaper);
}

/* 256 MiB: both have them, and each its own. */
CASE(memory)
{
	pid_t pid = after(change_nothing);

	if (pid == 0) {
		bool good = t_intact(t_area, t_area_bytes);

		for (size_t i = 0; i < t_blocks(); i++) {
			good &= t_intact(t_block(i), T_BLOCK);
			memset(t_block(i), 0x11, T_BLOCK);
		}
		memset(t_area, 0x22, t_area_bytes);
		printf("child: intact %d\n", good);
		exit(3);
	}
	t_fill(t_area, 1 << 20); /* while the child looks */
	t_reap(pid, "child");
	printf("parent: intact %d\n", t_intact(t_area, t_area_bytes));
}

/* Mappings that children of fork do not get, or get empty. */
CASE(madvised)
{
	unsigned char *wiped = t_anon(1 << 20), *absent = t_anon(1 << 20);
	unsigned char *shared = t_shared(4096);
	pid_t pid;

	CHECK(!madvise(wiped, 1 << 20, MADV_WIPEONFORK));
	CHECK(!madvise(absent, 1 << 20, MADV_DONTFORK));
	pid = after(change_nothing);
	if (pid == 0) {
		shared[5] = 6;
		printf("child: wiped %d, absent %d\n", wiped[77] == 0,
		       msync(absent, 4096, MS_ASYNC) && errno == ENOMEM);
		exit(3);
	}
	t_reap(pid, "child");
	printf("parent: wiped %d, absent %d, shared %d\n",
	       !t_intact(wiped, 1 << 20), !t_intact(absent, 1 << 20),
	       shared[5]);
	munmap(wiped, 1 << 20);
	munmap(absent, 1 << 20);
	munmap(shared, 4096);
}

static void on_usr(int sig)
{
	(void)sig;
}

static void change_errno(void)
{
	errno = ERANGE;
}

CASE(libc_keeps)
{
	change_what_libc_keeps(on_usr, SIGUSR2);
	compare(change_errno, say_what_libc_keeps);
}

CASES_MAIN
