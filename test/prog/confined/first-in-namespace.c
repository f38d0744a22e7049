/*
 * The first child after unshare(CLONE_NEWPID) is the init of its namespace,
 * and once it has ended there can be no other: so whatever way it is made, it
 * must be the only one that was. Argument: the case.
 *
 * Test: first-in-namespace-CASE CASE
 */
#include "cases.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static long (*how)(int flags);

static long by_libc(int flags)
{
	return unshare(flags);
}

static long by_syscall(int flags)
{
	return syscall(SYS_unshare, flags);
}

static void leave_now(void)
{
	int flags = CLONE_NEWPID | (geteuid() ? CLONE_NEWUSER : 0);

	if ((how ? how : by_libc)(flags) < 0) {
		if (errno == EPERM || errno == EINVAL || errno == ENOSPC)
			t_skip("no pid namespace to be had");
		CHECK(!"unshare");
	}
}

/* After children that are nothing special. */
static void leave_namespace(void)
{
	pid_t pid = t_fork();

	if (pid == 0)
		t_exec_exit(0);
	t_reap(pid, "forked");
	pid = vfork();
	if (pid == 0)
		_exit(0);
	t_reap(pid, "vforked");
	leave_now();
}

static void end(void)
{
	_exit(getpid() == 1 ? 1 : 7);
}

static const char *who(void)
{
	return getpid() == 1 ? "init" : "another";
}

static void say_and_end(void)
{
	dprintf(1, "said by %s\n", who());
	_exit(2);
}

static void exec(void)
{
	t_exec_say("exec'ed by %s", who());
}

static void say_and_exec(void)
{
	CHECK(write(1, "said\n", 5) == 5);
	exec();
}

static void fail_to_exec(void)
{
	execl("/nowhere", "nowhere", (char *)NULL);
	_exit(errno);
}

static void first_is(void (*child)(void))
{
	pid_t pid;

	leave_namespace();
	pid = t_fork();
	if (pid == 0)
		child();
	t_reap(pid, "init");
	pid = fork();
	if (pid == 0)
		_exit(1);
	printf("after it: %s\n", pid < 0 ? strerror(errno) : "another");
}

CASE(ends)
{
	first_is(end);
}

CASE(says)
{
	first_is(say_and_end);
}

CASE(execs)
{
	first_is(exec);
}

CASE(says_and_execs)
{
	first_is(say_and_exec);
}

CASE(fails_to_exec)
{
	first_is(fail_to_exec);
}

CASE(syscall)
{
	how = by_syscall;
	first_is(end);
}

static void first(void)
{
	pid_t pid = t_fork();

	if (pid == 0)
		say_and_end();
	t_reap(pid, "init");
}

/* The program that is exec'ed has left, too. */
CASE(inherits)
{
	leave_namespace();
	fflush(NULL);
	execl("/proc/self/exe", "first-in-namespace", "inherited", NULL);
	CHECK(!"exec");
}

HELPER(inherited)
{
	first();
}

/* While the init lives, others may end as they like. */
CASE(others)
{
	static void (*const children[])(void) = { end, say_and_end, exec,
						  say_and_exec, exec };
	pid_t init, pid;
	int p[2];
	char c;

	leave_namespace();
	CHECK(!pipe(p));
	init = t_fork();
	if (init == 0) {
		close(p[1]);
		_exit((int)read(p[0], &c, 1));
	}
	close(p[0]);
	for (size_t i = 0; i < sizeof(children) / sizeof(*children); i++) {
		pid = t_fork();
		if (pid == 0)
			children[i]();
		CHECK(pid > 0);
		t_reap(pid, "other");
	}
	close(p[1]);
	t_reap(init, "init");
}

static void leave_once(void)
{
	static bool left;

	if (!left)
		leave_now();
	left = true;
}

/* A fork handler leaves: the child that is being made is the first. */
CASE(handler_leaves)
{
	CHECK(!pthread_atfork(leave_once, NULL, NULL));
	first();
}

static volatile int handled;

static void on_usr1(int sig)
{
	(void)sig;
	handled++;
}

/* With ours such a child would become a fork, which an init can't. */
CASE(vfork_handles)
{
	struct sigaction act = { .sa_handler = on_usr1 };
	pid_t pid;

	CHECK(!sigaction(SIGUSR1, &act, NULL));
	leave_namespace();
	pid = vfork();
	if (pid == 0) {
		kill(getpid(), SIGUSR1);
		raise(SIGUSR1);
		_exit(4);
	}
	CHECK(pid > 0);
	t_reap(pid, "child");
	printf("handled %d\n", handled);
	t_signals_again();
}

/* The step before closefrom fails: done again it would be ENOMEM. */
CASE(spawn_fails)
{
	char *argv[] = { "report", "exit", "3", NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, 900, 1); /* is not open */
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	leave_namespace();
	errno = posix_spawn(&pid, t_report, &actions, NULL, argv, environ);
	printf("spawn: %m\n");
	posix_spawn_file_actions_destroy(&actions);
}

CASE(spawns)
{
	char *argv[] = { "report", "exit", "3", NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	leave_namespace();
	CHECK(!posix_spawn(&pid, t_report, &actions, NULL, argv, environ));
	t_reap(pid, "spawned");
	posix_spawn_file_actions_destroy(&actions);
}

CASE(system)
{
	leave_namespace();
	fflush(NULL);
	printf("%d\n", system("echo $$; exit 3"));
	t_signals_again();
}

CASE(popen)
{
	char line[64] = "";
	FILE *f;

	leave_namespace();
	f = popen("echo $$; exit 3", "r");
	CHECK(f && fgets(line, sizeof(line), f));
	printf("%s%d\n", line, pclose(f));
}

/*
 * Behind an init that lives on there may be others, whose pids are those of
 * their parent's namespace for it, whatever became of them.
 */
static int init_waits[2];

/* It stops those who tell it their pid. */
static pid_t start_init(void)
{
	pid_t pid, who;

	leave_namespace();
	CHECK(!pipe(init_waits));
	pid = fork();
	if (pid == 0) {
		close(init_waits[1]);
		while (read(init_waits[0], &who, sizeof(who)) == sizeof(who))
			kill(who, SIGSTOP);
		_exit(0);
	}
	close(init_waits[0]);
	return pid;
}

static void end_init(pid_t pid)
{
	close(init_waits[1]);
	t_reap(pid, "init");
	t_signals_again();
}

CASE(vfork_behind_init)
{
	pid_t init, pid;

	signal(SIGUSR1, on_usr1);
	init = start_init();
	for (int i = 0; i < 3; i++) {
		pid = vfork();
		if (pid == 0) {
			raise(SIGUSR1);
			_exit(4);
		}
		t_reap(pid, "vforked");
	}
	end_init(init);
}

CASE(forks_behind_init)
{
	pid_t init = start_init(), pid;

	for (int i = 0; i < 5; i++) {
		pid = fork();
		if (pid == 0)
			exec();
		t_reap(pid, "forked");
	}
	end_init(init);
}

/*
 * The kernel tells a child there of no parent: one that has to ask its parent
 * for memory goes on asking.
 *
 * Test: first-in-namespace-reads_behind_init reads_behind_init
 * Test: -l -q get.its.memory -e FLATFORK_LEND=off -e FLATFORK_FAULT=no-mem
 *       served-behind-init reads_behind_init
 * Test: -l -e FLATFORK_LEND=off -e FLATFORK_FAULT=no-mem,commit-all
 *       served-behind-init-committed reads_behind_init
 */
CASE(reads_behind_init)
{
	pid_t init = start_init(), pid;

	for (int i = 0; i < 3; i++) {
		pid = t_fork();
		if (pid == 0) {
			CHECK(t_intact(t_area, t_area_bytes));
			(i == 1 ? say_and_exec : exec)();
		}
		t_reap(pid, "forked");
	}
	end_init(init);
}

/*
 * Who is stopped there before it execs does not hold its parent, and finds the
 * memory of the moment of fork.
 *
 * Test: -l -b 500 -t 20 -e FLATFORK_LEND=off -e FLATFORK_FAULT=commit-all
 *       first-in-namespace-stopped_behind_init stopped_behind_init
 */
CASE(stopped_behind_init)
{
	volatile int *go = t_shared(4096);
	pid_t init = start_init(), pid = t_fork(), self;
	int status;

	if (pid == 0) {
		self = getpid();
		CHECK(write(init_waits[1], &self, sizeof(self)) > 0);
		while (!*go)
			;
		t_exec_exit(t_intact(t_area, t_area_bytes) ? 7 : 8);
	}
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	memset(t_area, 0xee, t_area_bytes);
	*go = 1;
	CHECK(!kill(pid, SIGCONT));
	t_reap(pid, "stopped");
	t_fill(t_area, t_area_bytes);
	end_init(init);
}

/* It is the borrower that leaves its namespace, and then forks. */
CASE(vforked_leaves)
{
	pid_t pid = vfork(), init;
	int status;

	if (pid == 0) {
		leave_now();
		init = fork();
		if (init == 0)
			_exit(getpid() == 1 ? 7 : 8);
		if (waitpid(init, &status, 0) != init || !WIFEXITED(status))
			_exit(9);
		_exit(WEXITSTATUS(status));
	}
	t_reap(pid, "vforked");
}

static char stack[64 << 10] __attribute__((aligned(16)));

/* pid 1, and so is its maker, in another namespace. */
static int exec_by_child(void *unused)
{
	pid_t pid = t_fork();
	int status;

	(void)unused;
	if (pid == 0)
		exec();
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		_exit(5);
	_exit(status ? 6 : 7);
}

/* An init makes the init of another namespace, which forks itself. */
CASE(inits)
{
	const int flags[] = { 0, CLONE_VM | CLONE_VFORK };
	pid_t init, pid;

	leave_namespace();
	init = t_fork();
	if (init == 0) {
		CHECK(getpid() == 1);
		for (int i = 0; i < 2; i++) {
			pid = t_fork();
			if (pid == 0)
				exec();
			t_reap(pid, "before");
		}
		for (int i = 0; i < 2; i++) {
			fflush(NULL);
			pid = clone(exec_by_child, stack + sizeof(stack),
				    CLONE_NEWPID | SIGCHLD | flags[i], NULL);
			CHECK(pid > 0);
			t_reap(pid, "inner init");
			pid = t_fork();
			if (pid == 0)
				exec();
			t_reap(pid, "after");
		}
		_exit(8);
	}
	t_reap(init, "init");
}

CASES_MAIN
