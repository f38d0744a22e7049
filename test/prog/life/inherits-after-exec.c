/*
 * All a program inherits through fork and exec, told by the program: with
 * what the parent had set, with what the child set before exec, and for a
 * bare child. Masks, ignored signals, limits, nice, umask, cwd, descriptors
 * with flags and offsets, groups and sessions, prctl values, timers.
 *
 * Test: -l -f
 */
#include "t.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static void handler(int sig)
{
	(void)sig;
}

static void set_things(int by)
{
	struct rlimit rl;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1 + by);
	sigaddset(&set, SIGSEGV);
	sigaddset(&set, SIGSYS);
	sigaddset(&set, SIGRTMIN + by);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGQUIT, by ? SIG_IGN : handler);
	signal(by ? SIGTTOU : SIGPIPE, SIG_IGN);
	umask(027 + by);
	CHECK(!setpriority(PRIO_PROCESS, 0, 3 + by));
	CHECK(!mkdir(by ? "two" : "one", 0755) && !chdir(by ? "two" : "one"));
	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = 512 - by;
	setrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max = 5 - by;
	setrlimit(RLIMIT_CORE, &rl);
	prctl(PR_SET_TIMERSLACK, 70000 + by);
	if (by) /* the parent is known to the test by its name */
		prctl(PR_SET_NAME, "two");
	fd = open("file", O_RDWR | O_CREAT | (by ? O_CLOEXEC : 0), 0644);
	CHECK(fd >= 0 && write(fd, "0123456789", 10) == 10);
	lseek(fd, 3 + by, SEEK_SET);
	dup2(fd, 50 + by);
	fcntl(50 + by, F_SETFD, by ? 0 : FD_CLOEXEC);
	fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK);
}

int main(void)
{
	struct itimerval it = { { 50, 0 }, { 50, 0 } };
	struct sched_param sp = { 0 };
	stack_t ss = { .ss_size = 65536 };
	pid_t pid;

	t_start(64);
	pid = t_fork();
	if (pid == 0)
		t_exec_report("state");
	t_reap(pid, "bare");

	set_things(0);
	setitimer(ITIMER_REAL, &it, NULL);
	setitimer(ITIMER_PROF, &it, NULL);
	pid = t_fork();
	if (pid == 0)
		t_exec_report("state");
	t_reap(pid, "with the parent's");

	pid = t_fork();
	if (pid == 0) {
		set_things(1);
		alarm(40);
		setitimer(ITIMER_VIRTUAL, &it, NULL);
		prctl(PR_SET_PDEATHSIG, SIGUSR2);
		prctl(PR_SET_KEEPCAPS, 1);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
		personality(ADDR_NO_RANDOMIZE);
		sched_setscheduler(0, SCHED_BATCH, &sp);
		ss.ss_sp = t_area;
		sigaltstack(&ss, NULL);
		setpgid(0, 0);
		t_exec_report("state");
	}
	t_reap(pid, "with the child's");

	pid = t_fork();
	if (pid == 0) {
		CHECK(setsid() == getpid());
		close(0);
		prctl(PR_SET_DUMPABLE, 0);
		t_exec_report("state");
	}
	t_reap(pid, "in a session of its own");
	/* and none of the child's is the parent's */
	getitimer(ITIMER_VIRTUAL, &it);
	printf("parent: vtimer %ld, umask %o, nice %d, dumpable %d, nnp %d, "
	       "thp %d, policy %d\n",
	       (long)it.it_value.tv_sec, umask(0), getpriority(PRIO_PROCESS, 0),
	       prctl(PR_GET_DUMPABLE), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
	       prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), sched_getscheduler(0));
	close(50);
	for (int fd = 3; fd < 50; fd++)
		if (fcntl(fd, F_GETFL) > 0 && fcntl(fd, F_GETFL) & O_APPEND)
			close(fd);
	t_signals_again();
	return t_end();
}
