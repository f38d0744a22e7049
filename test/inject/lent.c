/* See forks.h. Children in borrowed memory: of vfork, right ones and those that
 * become a fork, and of forks that are lent behind protection keys. Where a
 * call fails vfork may be libc's: then its child has to be a right one. */
#include "child.h"
#include "forks.h"
#include "scene.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>

#define NOBODY 65534
#define ALARM_US 20000

static pid_t process;

/* ---- in the child ---- */

static bool memory_is_libcs(void)
{
	return inject->made[INJECT_BY_LIBC] != 0;
}

static _Noreturn void go_right(void)
{
	sigset_t none;

	child_own(dup2(FD_FILE, 5));
	child_own(close(FD_HIGH));
	sigemptyset(&none);
	child_own(sigprocmask(SIG_SETMASK, &none, NULL));
	child_own(signal(SIGUSR1, SIG_IGN) == SIG_ERR ? -1 : 0);
	child_start("./witness");
}

/* ---- the ways of vfork ---- */

static pid_t right(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		go_right();
	return pid;
}

static pid_t changes_user(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		child_own(seteuid(NOBODY));
		go_right();
	}
	return pid;
}

/* Libc's vfork leaves that to us. */
static void be_dumpable(void)
{
	if (memory_is_libcs())
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static bool may_change_user(void)
{
	forks_pipes();
	return geteuid() == 0;
}

static __attribute__((noinline)) pid_t returns(void)
{
	pid_t pid = vfork();

	if (pid == 0 && memory_is_libcs())
		go_right();
	return pid;
}

static pid_t by_returning(void)
{
	pid_t pid = returns();

	if (pid == 0) {
		child_look_at_cpus();
		go_right();
	}
	return pid;
}

static pid_t exits(void)
{
	pid_t pid = vfork();

	if (pid == 0 && memory_is_libcs())
		go_right();
	if (pid == 0)
		exit(CHILD_WRONG);
	return pid;
}

static void at_exit(void)
{
	if (getpid() != process)
		go_right();
}

static bool have_exit_handler(void)
{
	forks_pipes();
	process = getpid();
	return atexit(at_exit) == 0;
}

/* One that comes before the read may be left until exec: so it comes again. */
static pid_t is_signalled(void)
{
	const struct itimerval soon = { { 0, ALARM_US }, { 0, ALARM_US } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	pid_t pid = vfork();

	if (pid == 0) {
		child_own(setitimer(ITIMER_REAL, &soon, NULL));
		child_wait_for_go();
		child_own(setitimer(ITIMER_REAL, &never, NULL));
		go_right();
	}
	return pid;
}

static void on_alarm(int sig)
{
	(void)sig;
	child_let_itself_read();
}

static bool have_handler(void)
{
	forks_pipes();
	return signal(SIGALRM, on_alarm) != SIG_ERR;
}

static pid_t stops(void)
{
	pid_t pid = vfork();

	if (pid == 0 && memory_is_libcs())
		go_right();
	if (pid == 0) {
		child_own(kill(getpid(), SIGSTOP));
		go_right();
	}
	return pid;
}

static void let_continue(void)
{
	siginfo_t info = { .si_pid = 0 };

	while (waitid(P_ALL, 0, &info, WSTOPPED | WEXITED | WNOWAIT))
		;
	if (info.si_code == CLD_STOPPED)
		kill(info.si_pid, SIGCONT);
}

/* ---- the ways of forks that are lent ---- */

static pid_t lent(void)
{
	pid_t pid = fork();

	if (pid == 0)
		go_right();
	return pid;
}

static pid_t strays(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		child_scribble();
		go_right();
	}
	return pid;
}

static pid_t leaves(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		child_say();
		child_own(setpgid(0, 0));
		child_change_itself();
		child_start("./witness");
	}
	return pid;
}

static pid_t is_late(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		child_say();
		child_spin();
		go_right();
	}
	return pid;
}

/* One borrows, and may become another. */
#define BORROWS                    \
	{                          \
		[INJECT_BY_US] = 1 \
	}
#define BECOMES                    \
	{                          \
		[INJECT_BY_US] = 2 \
	}

const struct fork_way lent_ways[] = {
	{ .name = "vfork",
	  .group = FORKS_BY_VFORK,
	  .fork = right,
	  .prepare = forks_pipes,
	  .made = BORROWS },
	{ .name = "vfork, changes its user",
	  .group = FORKS_BY_VFORK,
	  .fork = changes_user,
	  .let = be_dumpable,
	  .prepare = may_change_user,
	  .made = BORROWS },
	{ .name = "vfork, beside a thread",
	  .group = FORKS_BY_VFORK,
	  .fork = right,
	  .prepare = forks_thread,
	  .made = BORROWS },
	{ .name = "vfork, returns",
	  .group = FORKS_BY_VFORK,
	  .fork = by_returning,
	  .prepare = forks_pipes,
	  .made = BECOMES,
	  .becomes = true },
	{ .name = "vfork, returns beside a thread",
	  .group = FORKS_BY_VFORK,
	  .fork = by_returning,
	  .prepare = forks_thread,
	  .made = BECOMES,
	  .becomes = true },
	{ .name = "vfork, exits",
	  .group = FORKS_BY_VFORK,
	  .fork = exits,
	  .prepare = have_exit_handler,
	  .made = BECOMES,
	  .becomes = true },
	{ .name = "vfork, is signalled",
	  .group = FORKS_BY_VFORK,
	  .fork = is_signalled,
	  .prepare = have_handler,
	  .made = BECOMES,
	  .becomes = true },
	{ .name = "vfork, stops",
	  .group = FORKS_BY_VFORK,
	  .fork = stops,
	  .let = let_continue,
	  .prepare = forks_pipes,
	  .made = BECOMES,
	  .hangs = true,
	  .becomes = true },
	{ .name = "lent",
	  .group = FORKS_LENT,
	  .fork = lent,
	  .prepare = forks_pipes,
	  .made = BORROWS },
	{ .name = "lent, strays",
	  .group = FORKS_LENT,
	  .fork = strays,
	  .prepare = forks_pipes,
	  .made = BORROWS },
	{ .name = "lent, leaves",
	  .group = FORKS_LENT,
	  .fork = leaves,
	  .prepare = forks_pipes,
	  .made = BECOMES,
	  .writes = true,
	  .becomes = true },
	{ .name = "lent, late",
	  .group = FORKS_LENT,
	  .fork = is_late,
	  .let = forks_let_spin,
	  .prepare = forks_pipes,
	  .made = BECOMES,
	  .writes = true,
	  .becomes = true },
};
const unsigned lent_ways_count = sizeof(lent_ways) / sizeof(*lent_ways);
