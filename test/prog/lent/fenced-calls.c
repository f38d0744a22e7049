/*
 * What a child behind the fence (fenced.h) asks the kernel, and what it has done
 * there that a process of its own would have done: ids, groups, limits, keys.
 *
 * Test: -l -f fenced-forks-CASE CASE
 */
#include "fenced.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static int feed[2];

/*
 * What a child knows of itself is true to its end, also if it becomes a fork
 * on the way.
 */
static void knows_pid(void)
{
	pid_t pid = getpid();

	CHECK(gettid() == pid);
	writes_much();
	CHECK(getpid() == pid && gettid() == pid);
}

CASE(knows_pid)
{
	note_memory();
	odd(knows_pid);
	look_at_memory();
}

static void leads_session(void)
{
	pid_t session = setsid();

	writes_much();
	CHECK(session == getpid() && getsid(0) == session);
}

CASE(leads_session)
{
	note_memory();
	odd(leads_session);
}

static void leads_group(void)
{
	pid_t group;

	CHECK(!setpgid(0, 0));
	group = getpgrp();
	writes_much();
	CHECK(getpgrp() == group && group == getpid());
}

CASE(leads_group)
{
	note_memory();
	odd(leads_group);
}

/* What exec keeps, but no process inherits, is the program's. */
static void has_an_alarm(void)
{
	alarm(100);
	execl(t_report, "report", "itimers", (char *)NULL);
}

CASE(has_an_alarm)
{
	odd(has_an_alarm);
}

static void dies_with_its_parent(void)
{
	CHECK(!prctl(PR_SET_PDEATHSIG, SIGUSR1));
	execl(t_report, "report", "state", (char *)NULL);
}

CASE(dies_with_its_parent)
{
	odd(dies_with_its_parent);
}

static void opens_itself(void)
{
	DIR *all = opendir("/dev/fd");
	int count = 0, fd = open("/proc/self/comm", O_RDWR | O_CLOEXEC);

	writes_much();
	CHECK(all);
	while (readdir(all))
		count++;
	CHECK(count >= 5); /* dot, dot-dot, three streams */
	CHECK(!closedir(all));
	CHECK(write(fd, "changed", 7) == 7);
	CHECK(!chdir("/proc/self"));
	CHECK(!access("comm", R_OK) && !close(fd));
}

CASE(opens_itself)
{
	note_memory();
	odd(opens_itself);
}

/* From the first on, by a route of its own. */
static FRAME void fork_that_opens(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		CHECK(open("/dev/null", O_RDONLY) >= 0);
		t_exec_exit(7);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 7 << 8);
}

/*
 * Such a route is lent nothing, and no child has to become a fork for it.
 *
 * Test: -l -f -q became -e FLATFORK_FAULT= fenced-forks-CASE CASE
 */
CASE(opens_always)
{
	for (int i = 0; i < 6; i++)
		fork_that_opens();
	rounds(6);
}

static volatile pid_t sender;

static void on_hup(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	sender = info->si_pid;
}

static void tells_parent(void)
{
	CHECK(!kill(getppid(), SIGHUP));
	writes_much();
	CHECK(getpid() != getppid());
}

CASE(tells_parent)
{
	struct sigaction act = { .sa_sigaction = on_hup,
				 .sa_flags = SA_SIGINFO | SA_RESTART };

	sigaction(SIGHUP, &act, NULL);
	t_signals_again();
	note_memory();
	odd(tells_parent);
	printf("told by its child: %d\n", sender == odd_pid);
}

static void has_policy(void)
{
	struct sched_param none = { 0 };
	int policy = SCHED_BATCH | SCHED_RESET_ON_FORK;

	CHECK(!sched_setscheduler(0, policy, &none));
	writes_much();
	CHECK(sched_getscheduler(0) == policy);
}

CASE(has_policy)
{
	note_memory();
	odd(has_policy);
}

/* After which nobody of its user could be forked. */
static void limits_itself(void)
{
	const struct rlimit one = { 1, 1 };

	CHECK(!setrlimit(RLIMIT_NPROC, &one));
	if (getuid() == 0)
		CHECK(!setgid(61234) && !setuid(61234));
	CHECK(getpid() != first_pid);
	_exit(7);
}

CASE(limits_itself)
{
	odd(limits_itself);
}

/* Results of calls that the fence makes itself. */
static void asks(void)
{
	struct sigaction old, act = { .sa_handler = SIG_DFL };
	sigset_t all, was;

	CHECK(!sigaction(SIGUSR1, NULL, &old) && old.sa_handler == on_usr1);
	CHECK(!sigaction(SIGUSR1, &act, &old) && old.sa_handler == on_usr1);
	CHECK(!sigaction(SIGUSR1, NULL, &old) && old.sa_handler == SIG_DFL);
	CHECK(signal(SIGUSR2, SIG_IGN) == SIG_DFL);
	CHECK(signal(SIGUSR2, SIG_IGN) == SIG_IGN);
	sigfillset(&all);
	CHECK(!sigprocmask(SIG_SETMASK, &all, &was));
	CHECK(!sigismember(&was, SIGUSR2) && sigismember(&was, SIGHUP));
	CHECK(!sigprocmask(SIG_SETMASK, &was, &all));
	CHECK(sigismember(&all, SIGSEGV) && sigismember(&all, SIGSYS));
	CHECK(!sigismember(&all, SIGKILL));
	CHECK(sigaction(65, NULL, &old) == -1 && errno == EINVAL);
	CHECK(close(-1) == -1 && errno == EBADF);
	CHECK(getpid() != first_pid && getppid() == first_pid);
}

CASE(asks)
{
	sigset_t hup;

	signal(SIGUSR1, on_usr1);
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hup, NULL);
	t_signals_again();
	odd(asks);
}

/* Handlers that wait for forks run at each of them. */
static int atfork_runs;

static void count_run(void)
{
	atfork_runs++;
}

CASE(atfork)
{
	rounds(6);
	pthread_atfork(count_run, count_run, NULL);
	rounds(6);
	printf("handlers %d\n", atfork_runs);
}

static void waits_for_all(void)
{
	int status;

	CHECK(waitpid(-1, &status, __WALL) == -1 && errno == ECHILD);
}

CASE(waits_for_all)
{
	odd(waits_for_all);
	rounds(4);
}

/* It may have no process more, and has acted by then. */
static void has_no_room(void)
{
	struct rlimit none = { 1, 1 };

	CHECK(!setrlimit(RLIMIT_NPROC, &none));
	CHECK(write(feed[1], "x", 1) == 1);
	CHECK(getpid() != first_pid);
}

/* Test: fenced-forks-CASE CASE */
CASE(has_no_room)
{
	char text[8];

	if (!geteuid()) { /* root has no such limit */
		CHECK(!setgid(65534) && !setuid(61234));
		CHECK(!prctl(PR_SET_DUMPABLE, 1));
	}
	CHECK(!pipe(feed));
	odd(has_no_room);
	CHECK(read(feed[0], text, sizeof(text)) == 1);
	close(feed[0]);
	close(feed[1]);
}

/* What the child opens by a key of the program's, and wipes, is its copy. */
static int own_key;

static void wipes_secret(void)
{
	CHECK(!pkey_set(own_key, 0));
	pages[0] = 0;
	CHECK(!pkey_set(own_key, PKEY_DISABLE_ACCESS));
}

/* Test: -l fenced-forks-CASE CASE */
CASE(own_keys)
{
	own_key = pkey_alloc(0, 0);
	if (own_key < 0)
		t_skip("no protection keys");
	note_memory();
	CHECK(!pkey_mprotect((void *)pages, PAGE, PROT_READ | PROT_WRITE,
			     own_key));
	CHECK(!pkey_set(own_key, PKEY_DISABLE_ACCESS));
	odd(wipes_secret);
	CHECK(!pkey_set(own_key, 0));
	look_at_memory();
}

/* A thread that libc knows nothing of works in this frame. */
static char helper_stack[64 << 10] __attribute__((aligned(64)));
static volatile bool helper_ends;

static int count(void *counter)
{
	while (!helper_ends)
		++*(volatile long *)counter;
	helper_ends = false;
	syscall(SYS_exit, 0);
	return 0;
}

/* Test: -l fenced-forks-CASE CASE */
CASE(raw_thread)
{
	volatile long counter = 0;

	CHECK(clone(count, helper_stack + sizeof(helper_stack),
		    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			    CLONE_THREAD | CLONE_SYSVSEM,
		    (void *)&counter) > 0);
	rounds(12);
	helper_ends = true;
	while (helper_ends)
		sched_yield();
	CHECK(counter > 0);
}

CASES_MAIN
