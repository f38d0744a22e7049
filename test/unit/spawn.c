/*
 * Spawns as they are made where clone3 works, where only clone does, and
 * where memory is not shared: the same results and the same errors.
 */
#include "spawn/parent/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/fault.h"
#include "spawn/parent/report.h"
#include "unit.h"

const char unit_subject[] = "spawn";

static const char *const ways[] = { "", "no-clone3", "no-clone3,no-share" };

#define WAYS ((int)(sizeof(ways) / sizeof(*ways)))
#define STEP(k, ...)                             \
	(struct ff_step)                         \
	{                                        \
		.kind = FF_STEP_##k, __VA_ARGS__ \
	}

static const struct ff_step to_output[2] = {
	STEP(OPEN, .fd = 1, .number = O_WRONLY | O_CREAT | O_TRUNC,
	     .mode = 0600),
	STEP(DUP2, .fd = 1, .number = 2),
};

/* Run @script with @before (actions), its output into *ret_text; status. */
static int run(const char *script, const struct ff_step *before, unsigned count,
	       const char **ret_text)
{
	static char text[4096];
	char *argv[] = { "sh", "-c", (char *)script, NULL };
	struct ff_step step[8];
	struct ff_plan plan = { .file = "/bin/sh",
				.argv = argv,
				.envp = environ };
	const char *path = unit_path();
	int status, error;
	pid_t pid;

	memcpy(step, to_output, sizeof(to_output));
	step[0].text = path;
	memcpy(step + 2, before, count * sizeof(*step));
	plan.steps[FF_PHASE_ACTIONS] = (struct ff_steps){ step, count + 2 };
	error = ff_spawn(&plan, NULL, &pid);
	ck_assert_msg(error == 0, "%s",
		      ff_report_text(&plan, text, sizeof(text)));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	unit_read_file(path, text, sizeof(text));
	unlink(path);
	*ret_text = text;
	return status;
}

static void use_way(int i)
{
	ff_faults_load(ways[i]);
}

START_TEST(a_program_runs_and_is_waited_for)
{
	const char *text;

	use_way(_i);
	ck_assert_int_eq(run("echo out; echo err >&2; exit 7", to_output, 0,
			     &text),
			 7 << 8);
	ck_assert_str_eq(text, "out\nerr\n");
}
END_TEST

static void handler(int sig)
{
	(void)sig;
	_exit(99);
}

/* What @field of /proc/self/status is in a child, as a number. */
static enum ff_libc_signals libc_signals;

static unsigned long status_of_child(const char *field)
{
	struct ff_step step = to_output[0];
	struct ff_plan plan = { .file = "/bin/cat",
				.argv = (char *[]){ "cat", "/proc/self/status",
						    NULL },
				.envp = environ,
				.libc_signals = libc_signals };
	char text[4096], *at;
	pid_t pid;

	step.text = unit_path();
	plan.steps[FF_PHASE_ACTIONS] = (struct ff_steps){ &step, 1 };
	ck_assert_int_eq(ff_spawn(&plan, NULL, &pid), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	unit_read_file(step.text, text, sizeof(text));
	unlink(step.text);
	at = strstr(text, field);
	ck_assert_ptr_nonnull(at);
	return strtoul(at + strlen(field), NULL, 16);
}

START_TEST(handlers_are_gone_ignored_stays_ignored_the_mask_stays)
{
	sigset_t set, now;

	use_way(_i);
	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_SETMASK, &set, NULL);
	ck_assert_uint_eq(status_of_child("SigBlk:"), FF_SIG(SIGWINCH));
	ck_assert_uint_eq(status_of_child("SigCgt:"), 0);
	ck_assert(status_of_child("SigIgn:") & FF_SIG(SIGUSR2));
	ck_assert(!(status_of_child("SigIgn:") & FF_SIG(SIGUSR1)));
	sigprocmask(SIG_SETMASK, NULL, &now);
	ck_assert(sigismember(&now, SIGWINCH) && !sigismember(&now, SIGINT));
}
END_TEST

/* 32 and 33. */
START_TEST(libcs_signals_are_what_libc_makes_them)
{
	const unsigned long both = FF_SIG(32) | FF_SIG(33);

	use_way(_i);
	libc_signals = FF_LIBC_SIGNALS_STAY;
	ck_assert_uint_eq(status_of_child("SigIgn:") & both, 0);
	libc_signals = FF_LIBC_SIGNALS_IGNORED;
	ck_assert_uint_eq(status_of_child("SigIgn:") & both, both);
	libc_signals = FF_LIBC_SIGNALS_IGNORED_WITHOUT_CLONE3;
	ck_assert_uint_eq(status_of_child("SigIgn:") & both, _i ? both : 0);
}
END_TEST

static const struct {
	struct ff_step step;
	int error;
	const char *text;
} failures[] = {
	{ STEP(OPEN, .fd = 5, .text = "/no/such"), ENOENT,
	  "action 1: open \"/no/such\": No such file or directory" },
	{ STEP(OPEN, .fd = 5, .text = "/", .number = O_WRONLY), EISDIR,
	  "action 1: open \"/\": Is a directory" },
	{ STEP(DUP2, .fd = 777, .number = 1), EBADF,
	  "action 1: dup2 777 to 1: Bad file descriptor" },
	{ STEP(DUP2, .fd = 777, .number = 777), EBADF,
	  "action 1: dup2 777 to 777: Bad file descriptor" },
	{ STEP(CLOSE, .fd = 1 << 30), EBADF,
	  "action 1: close 1073741824: Bad file descriptor" },
	{ STEP(CHDIR, .text = "/dev/null"), ENOTDIR,
	  "action 1: chdir \"/dev/null\": Not a directory" },
	{ STEP(FCHDIR, .fd = 777), EBADF,
	  "action 1: fchdir 777: Bad file descriptor" },
	{ STEP(TCSETPGRP, .fd = 777), EBADF,
	  "action 1: tcsetpgrp 777: Bad file descriptor" },
	{ STEP(SETPGID, .number = 0x3fffffff), EPERM,
	  "action 1: setpgid 1073741823: Operation not permitted" },
	{ STEP(SCHEDULER, .number = 12345), EINVAL,
	  "action 1: sched_setscheduler 12345: Invalid argument" },
	{ STEP(WRITE, .text = "/proc/self/oom_score_adj", .written = "x"),
	  EINVAL,
	  "action 1: write to \"/proc/self/oom_score_adj\": Invalid argument" },
	{ STEP(RESTORE, .fd = 5), EBADF,
	  "action 1: dup2 of the saved one to 5: Bad file descriptor" },
};

#define FAILURES ((int)(sizeof(failures) / sizeof(*failures)))

static int open_descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(a_step_that_fails_is_named_and_leaves_nothing)
{
	const struct ff_step step[2] = { STEP(CLOSE, .fd = 500),
					 failures[_i % FAILURES].step };
	struct ff_plan plan = { .file = "/bin/true",
				.argv = (char *[]){ "true", NULL },
				.envp = environ,
				.saved = -1 };
	int before = open_descriptors();
	pid_t pid = 4711;
	char text[256];

	use_way(_i / FAILURES);
	plan.steps[FF_PHASE_ACTIONS] = (struct ff_steps){ step, 2 };
	errno = 1234;
	ck_assert_int_eq(ff_spawn(&plan, NULL, &pid),
			 failures[_i % FAILURES].error);
	ck_assert_int_eq(errno, 1234);
	ck_assert_int_eq(pid, 4711);
	ck_assert_str_eq(ff_report_text(&plan, text, sizeof(text)),
			 failures[_i % FAILURES].text);
	ck_assert_int_eq(open_descriptors(), before);
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(an_exec_that_fails_is_named)
{
	struct ff_plan plan = { .file = "/no/such/program",
				.argv = (char *[]){ "x", NULL },
				.envp = environ };
	char text[256];

	use_way(_i);
	ck_assert_int_eq(ff_spawn(&plan, NULL, NULL), ENOENT);
	ck_assert_int_eq(plan.report.phase, FF_PHASE_EXEC);
	ck_assert_str_eq(
		ff_report_text(&plan, text, sizeof(text)),
		"exec \"/no/such/program\": No such file or directory");
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
}
END_TEST

START_TEST(a_failing_early_step_before_a_closefrom_says_the_same)
{
	const struct ff_step step[2] = { STEP(DUP2, .fd = 777, .number = 1),
					 STEP(CLOSEFROM, .fd = 3) };
	struct ff_plan plan = { .file = "/bin/true",
				.argv = (char *[]){ "true", NULL },
				.envp = environ };

	use_way(_i);
	plan.steps[FF_PHASE_ACTIONS] = (struct ff_steps){ step, 2 };
	ck_assert_int_eq(ff_spawn(&plan, NULL, NULL), EBADF);
	ck_assert_int_eq(plan.report.phase, FF_PHASE_ACTIONS);
	ck_assert_uint_eq(plan.report.index, 0);
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
}
END_TEST

START_TEST(a_high_descriptor_gets_through_a_closefrom)
{
	static const struct ff_step step[] = {
		STEP(DUP2, .fd = 700, .number = 1),
		STEP(DUP2, .fd = 700, .number = 4),
		STEP(CLOSEFROM, .fd = 5),
	};
	struct ff_plan plan = { .file = "/bin/ls",
				.argv = (char *[]){ "ls", "/proc/self/fd",
						    NULL },
				.envp = environ };
	char text[64] = "";
	int fd[2];
	pid_t pid;

	use_way(_i);
	ck_assert_int_eq(pipe(fd), 0);
	ck_assert_int_eq(dup2(fd[1], 700), 700);
	ck_assert_int_eq(dup2(1, 800), 800);
	close(fd[1]);
	fcntl(fd[0], F_SETFD, FD_CLOEXEC);
	plan.steps[FF_PHASE_ACTIONS] = (struct ff_steps){ step, 3 };
	ck_assert_int_eq(ff_spawn(&plan, NULL, &pid), 0);
	close(700);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	/* ls has the directory open as well, as 3, unless check has that */
	ck_assert_int_ge(read(fd[0], text, sizeof(text) - 1), 2);
	ck_assert_msg(!strcmp(text, "0\n1\n2\n3\n4\n") ||
			      !strcmp(text, "0\n1\n2\n3\n4\n5\n"),
		      "%s", text);
	ck_assert_int_ge(fcntl(800, F_GETFD), 0);
}
END_TEST

START_TEST(the_parents_table_is_never_changed)
{
	static const struct ff_step step[] = { STEP(CLOSEFROM, .fd = 0),
					       STEP(OPEN, .fd = 6,
						    .text = "/dev/null") };
	struct ff_plan plan = { .file = "/bin/true",
				.argv = (char *[]){ "true", NULL },
				.envp = environ };
	int before = open_descriptors();
	pid_t pid;

	use_way(_i);
	plan.steps[FF_PHASE_ACTIONS] = (struct ff_steps){ step, 2 };
	ck_assert_int_eq(ff_spawn(&plan, NULL, &pid), 0);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

START_TEST(the_dumpable_flag_is_put_back)
{
	static const struct ff_step step = STEP(UID, .number = 65534);
	struct ff_plan plan = { .file = "/bin/true",
				.argv = (char *[]){ "true", NULL },
				.envp = environ };
	pid_t pid;

	if (geteuid() != 0)
		return;
	use_way(_i);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 1);
	plan.steps[FF_PHASE_LAST] = (struct ff_steps){ &step, 1 };
	ck_assert_int_eq(ff_spawn(&plan, NULL, &pid), 0);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 1);
	ck_assert_uint_eq(geteuid(), 0);
}
END_TEST

START_TEST(a_search_ends_where_glibcs_does)
{
	static const struct {
		const char *path, *file;
		int error;
	} search[] = {
		{ "/no/such:/bin", "true", 0 },
		{ ":/bin", "true", 0 },
		{ "/bin:", "no-such-program", ENOENT },
		{ "/dev/null:/etc", "passwd", EACCES },
		{ "/etc", "passwd", EACCES },
		{ "/etc:/bin", "true", 0 },
		{ "/bin", "", ENOENT },
		{ "", "no-such-program", ENOENT },
		{ "/bin", "/no/such", ENOENT },
	};
	struct ff_plan plan = { .argv = (char *[]){ "true", NULL },
				.envp = environ };
	pid_t pid;

	plan.search = search[_i].path;
	plan.file = search[_i].file;
	ck_assert_int_eq(ff_spawn(&plan, NULL, &pid), search[_i].error);
	if (!search[_i].error)
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

/* glibc 2.43 looks at the name, older ones at directories. */
START_TEST(a_name_may_be_too_long)
{
	static const struct {
		const char *path;
		size_t length;
		bool short_names;
		int error;
	} search[] = {
		{ "/no/such", 255, true, ENOENT },
		{ "/no/such", 256, true, ENAMETOOLONG },
		{ "/no/such", 256, false, ENOENT },
		{ "/bin", 256, false, ENAMETOOLONG },
		{ "/bin", 5000, true, ENAMETOOLONG },
		{ "/bin", 5000, false, ENAMETOOLONG },
	};
	char name[5001];
	struct ff_plan plan = { .argv = (char *[]){ "true", NULL },
				.envp = environ,
				.file = name };

	memset(name, 'x', sizeof(name));
	name[search[_i].length] = '\0';
	plan.search = search[_i].path;
	plan.short_names = search[_i].short_names;
	ck_assert_int_eq(ff_spawn(&plan, NULL, NULL), search[_i].error);
}
END_TEST

START_TEST(a_pidfd_is_handed_out_and_closed_after_a_failure)
{
	struct ff_plan plan = { .file = "/bin/true",
				.argv = (char *[]){ "true", NULL },
				.envp = environ };
	int pidfd = -7, before = open_descriptors();
	struct ff_birth birth = { 0, -1, &pidfd };
	siginfo_t info;
	pid_t pid;

	use_way(_i);
	ck_assert_int_eq(ff_spawn(&plan, &birth, &pid), 0);
	ck_assert_int_eq(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
	ck_assert_int_eq(info.si_pid, pid);
	close(pidfd);
	plan.file = "/no/such";
	pidfd = -7;
	ck_assert_int_eq(ff_spawn(&plan, &birth, &pid), ENOENT);
	ck_assert_int_eq(pidfd, -7);
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

/* H-S1 */
START_TEST(the_child_does_not_see_its_pidfd)
{
	struct ff_step step[2] = { STEP(CLOSEFROM, .fd = 1000),
				   STEP(FCHDIR, .fd = 0) };
	struct ff_plan plan = { .file = "/bin/true",
				.argv = (char *[]){ "true", NULL },
				.envp = environ };
	int free = fcntl(0, F_DUPFD_CLOEXEC, 0), pidfd;
	struct ff_birth birth = { 0, -1, &pidfd };
	pid_t pid;

	use_way(_i);
	close(free);
	step[1].fd = free;
	plan.steps[FF_PHASE_ACTIONS] = (struct ff_steps){ step, 2 };
	ck_assert_int_eq(ff_spawn(&plan, &birth, &pid), EBADF);
}
END_TEST

/* H-S6 */
START_TEST(the_core_limit_is_the_programs_again)
{
	struct rlimit limit, now;
	const char *text;
	char want[64];

	ff_faults_load("core-kills");
	use_way(_i);
	getrlimit(RLIMIT_CORE, &limit);
	limit.rlim_cur =
		limit.rlim_max == RLIM_INFINITY ? 512 << 10 : limit.rlim_max;
	setrlimit(RLIMIT_CORE, &limit);
	snprintf(want, sizeof(want), "%lu\n",
		 (unsigned long)limit.rlim_cur / 512);
	ck_assert_int_eq(run("ulimit -S -c", to_output, 0, &text), 0);
	ck_assert_str_eq(text, want);
	getrlimit(RLIMIT_CORE, &now);
	ck_assert_uint_eq(now.rlim_cur, limit.rlim_cur);
}
END_TEST

static const char fifo_path[] = "/tmp/flatfork-unit-fifo";

/* Send a signal to the child that waits in its open(), then let it go on. */
static void *signal_child(void *arg)
{
	char path[64], text[64];
	pid_t pid = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children",
		 *(pid_t *)arg);
	while (!pid) {
		unit_read_file(path, text, sizeof(text));
		pid = (pid_t)strtol(text, NULL, 10);
	}
	kill(pid, SIGQUIT);
	fd = open(fifo_path, O_WRONLY | O_CLOEXEC);
	close(fd);
	return NULL;
}

/* H-S6 */
START_TEST(a_signal_that_dumps_core_before_exec_leaves_none)
{
	struct ff_step step =
		STEP(OPEN, .fd = 5, .number = O_RDONLY, .text = fifo_path);
	struct ff_plan plan = { .file = "/bin/true",
				.argv = (char *[]){ "true", NULL },
				.envp = environ };
	struct rlimit limit;
	pthread_t thread;
	pid_t pid, self = gettid();
	const char *text;
	int status;

	ff_faults_load("core-kills");
	use_way(_i);
	/* The child that is asked about memory is none to be killed. */
	ck_assert_int_eq(run("exit 0", to_output, 0, &text), 0);
	getrlimit(RLIMIT_CORE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_CORE, &limit);
	unlink(fifo_path);
	ck_assert_int_eq(mkfifo(fifo_path, 0600), 0);
	plan.steps[FF_PHASE_ACTIONS] = (struct ff_steps){ &step, 1 };
	ck_assert_int_eq(pthread_create(&thread, NULL, signal_child, &self), 0);
	ck_assert_int_eq(ff_spawn(&plan, NULL, &pid), 0);
	pthread_join(thread, NULL);
	unlink(fifo_path);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
	ck_assert(!WCOREDUMP(status));
}
END_TEST

static const char busy_path[] = "/tmp/flatfork-unit-busy";

/* A copy of true that is open for writing. */
static int busy_program(void)
{
	int from = open("/bin/true", O_RDONLY | O_CLOEXEC);
	int to =
		open(busy_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	char block[4096];
	ssize_t n;

	while ((n = read(from, block, sizeof(block))) > 0)
		ck_assert_int_eq(write(to, block, (size_t)n), n);
	close(from);
	return to;
}

static void *close_later(void *arg)
{
	usleep(5000);
	close(*(int *)arg);
	return NULL;
}

/* One try of many: a busy machine may wake who closes it when the spawn has
 * given up already. */
static int spawn_while_busy(struct ff_plan *plan, pid_t *ret_pid)
{
	int fd = busy_program(), error;
	pthread_t thread;

	ck_assert_int_eq(ff_spawn(plan, NULL, ret_pid), ETXTBSY);
	ck_assert_int_eq(pthread_create(&thread, NULL, close_later, &fd), 0);
	error = ff_spawn(plan, NULL, ret_pid);
	pthread_join(thread, NULL);
	unlink(busy_path);
	return error;
}

/* H-S18. A copied table has the descriptor in it until the exec. */
START_TEST(a_program_that_is_busy_for_a_moment_runs_one_that_stays_does_not)
{
	struct ff_plan plan = { .file = busy_path,
				.argv = (char *[]){ "true", NULL },
				.envp = environ };
	int error, tries = 0;
	pid_t pid;

	use_way(_i);
	do
		error = spawn_while_busy(&plan, &pid);
	while (error == ETXTBSY && ++tries < 50);
	ck_assert_int_eq(error, 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_loop_test(tests, the_core_limit_is_the_programs_again, 0,
			    WAYS);
	tcase_add_loop_test(tests,
			    a_signal_that_dumps_core_before_exec_leaves_none, 0,
			    WAYS);
	tcase_add_loop_test(tests, the_child_does_not_see_its_pidfd, 0, WAYS);
	tcase_add_loop_test(
		tests,
		a_program_that_is_busy_for_a_moment_runs_one_that_stays_does_not,
		0, WAYS - 1);
	tcase_add_loop_test(tests, a_program_runs_and_is_waited_for, 0, WAYS);
	tcase_add_loop_test(
		tests, handlers_are_gone_ignored_stays_ignored_the_mask_stays,
		0, WAYS);
	tcase_add_loop_test(tests,
			    a_step_that_fails_is_named_and_leaves_nothing, 0,
			    WAYS * FAILURES);
	tcase_add_loop_test(tests, an_exec_that_fails_is_named, 0, WAYS);
	tcase_add_loop_test(
		tests, a_failing_early_step_before_a_closefrom_says_the_same, 0,
		WAYS);
	tcase_add_loop_test(tests, a_high_descriptor_gets_through_a_closefrom,
			    0, WAYS);
	tcase_add_loop_test(tests, the_parents_table_is_never_changed, 0, WAYS);
	tcase_add_loop_test(tests, the_dumpable_flag_is_put_back, 0, WAYS);
	tcase_add_loop_test(tests, libcs_signals_are_what_libc_makes_them, 0,
			    WAYS);
	tcase_add_loop_test(tests, a_search_ends_where_glibcs_does, 0, 9);
	tcase_add_loop_test(tests, a_name_may_be_too_long, 0, 6);
	tcase_add_loop_test(tests,
			    a_pidfd_is_handed_out_and_closed_after_a_failure, 0,
			    WAYS);
}
