/* The linkable API, through the shared library alone. */
#include "flatfork/flatfork.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "how.h"
#include "unit.h"

const char unit_subject[] = "flatfork";

/* What `sh -c @script` writes, started with how; -1 in *ret_status where it
 * did not start. */
static const char *output(const char *script)
{
	static char text[4096];
	char *argv[] = { "sh", "-c", (char *)script, NULL };
	const char *path = unit_path();
	struct flatfork_child child;
	struct flatfork_error error;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	ck_assert_int_eq(fchmod(fd, 0666), 0);
	ck_assert_int_eq(dup2(fd, 900), 900);
	ck_assert_msg(flatfork_start(how, "/bin/sh", argv, environ, &child,
				     &error) == 0,
		      "%s", error.text);
	ck_assert_int_eq(waitpid(child.pid, NULL, 0), child.pid);
	close(fd);
	close(900);
	unit_read_file(path, text, sizeof(text));
	unlink(path);
	return text;
}

static void to_file(void)
{
	ck_assert_int_eq(flatfork_spawn_dup2(how, 900, 1), 0);
	ck_assert_int_eq(flatfork_spawn_dup2(how, 900, 2), 0);
}

START_TEST(without_a_description_nothing_changes)
{
	struct flatfork_child child;
	int status;

	ck_assert_int_eq(flatfork_start(NULL, "/bin/false",
					(char *[]){ "false", NULL }, environ,
					&child, NULL),
			 0);
	ck_assert_int_eq(child.pidfd, -1);
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
	ck_assert_int_eq(status, 1 << 8);
}
END_TEST

START_TEST(attributes_are_what_was_said)
{
	const struct rlimit files = { 64, 128 };
	char want[128];

	to_file();
	flatfork_spawn_umask(how, 0123);
	flatfork_spawn_nice(how, 7);
	ck_assert_int_eq(flatfork_spawn_oom_score(how, 321), 0);
	ck_assert_int_eq(flatfork_spawn_limit(how, RLIMIT_NOFILE, &files), 0);
	ck_assert_int_eq(flatfork_spawn_chdir(how, "/usr"), 0);
	flatfork_spawn_no_new_privs(how);
	flatfork_spawn_session(how, -1);
	flatfork_spawn_death_signal(how, SIGTERM);
	snprintf(want, sizeof(want), "0123\n7\n321\n64\n128\n/usr\n1\nyes\n");
	ck_assert_str_eq(output("umask; nice; cat /proc/self/oom_score_adj\n"
				"ulimit -Sn; ulimit -Hn; pwd\n"
				"sed -n 's/^NoNewPrivs:.//p' /proc/$$/status\n"
				"read -r p c s pp pg sid rest </proc/$$/stat\n"
				"[ $sid = $$ ] && [ $pg = $$ ] && echo yes"),
			 want);
}
END_TEST

START_TEST(affinity_and_scheduler)
{
	cpu_set_t one;

	to_file();
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ck_assert_int_eq(flatfork_spawn_affinity(how, sizeof(one), &one), 0);
	flatfork_spawn_scheduler(how, SCHED_BATCH, 0);
	flatfork_spawn_ioprio(how, 3 << 13);
	ck_assert_str_eq(
		output("sed -n 's/^Cpus_allowed_list:.//p' /proc/$$/status\n"
		       "set -- $(cut -d')' -f2 /proc/$$/stat); echo ${39}"),
		"0\n3\n");
	ck_assert_int_eq(flatfork_spawn_affinity(how, 1 << 20, &one), EINVAL);
}
END_TEST

START_TEST(ids_are_changed_by_root)
{
	const gid_t groups[] = { 111, 222 };

	if (geteuid() != 0)
		return;
	to_file();
	flatfork_spawn_uid(how, 4321);
	flatfork_spawn_gid(how, 4322);
	ck_assert_int_eq(flatfork_spawn_groups(how, 2, groups), 0);
	ck_assert_str_eq(output("id -u; id -g; id -G"),
			 "4321\n4322\n4322 111 222\n");
	ck_assert_uint_eq(getuid(), 0);
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 1);
}
END_TEST

START_TEST(signals_are_blocked_ignored_and_default)
{
	sigset_t set;

	to_file();
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	flatfork_spawn_signals_ignore(how, &set);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	flatfork_spawn_signals_default(how, &set);
	ck_assert_str_eq(output("kill -USR1 $$; echo 1; kill -USR2 $$; echo 2"),
			 "1\n");
}
END_TEST

START_TEST(a_map_may_be_a_ring)
{
	const struct flatfork_fd map[] = {
		{ 900, 1 }, { 10, 11 }, { 11, 12 }, { 12, 10 }, { 900, 2 },
	};
	int i;

	for (i = 10; i < 13; i++) {
		char path[] = "/proc/self/fd/0";
		int fd;

		snprintf(path, sizeof(path), "/tmp/ff%d.%d", i, 0);
		fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		dprintf(fd, "%d", i);
		lseek(fd, 0, SEEK_SET);
		dup2(fd, i);
		close(fd);
		unlink(path);
	}
	ck_assert_int_eq(dup2(1, 20), 20);
	ck_assert_int_eq(dup2(1, 11 + 5), 16);
	ck_assert_int_eq(flatfork_spawn_map(how, map, 5, true), 0);
	ck_assert_str_eq(output("/bin/cat /dev/fd/11; /bin/cat /dev/fd/12\n"
				"/bin/cat /dev/fd/10; echo\n"
				"for i in 3 4 5 9 13 16 20; do\n"
				"[ -e /proc/$$/fd/$i ] && echo $i; done; :"),
			 "101112\n");
}
END_TEST

START_TEST(a_map_refuses_what_is_no_map)
{
	const struct flatfork_fd twice[] = { { 1, 5 }, { 2, 5 } };
	const struct flatfork_fd no[] = { { 1, -5 } };

	ck_assert_int_eq(flatfork_spawn_map(how, twice, 2, false), EINVAL);
	ck_assert_int_eq(flatfork_spawn_map(how, no, 1, false), EBADF);
	ck_assert_int_eq(flatfork_spawn_close(how, -1), EBADF);
	ck_assert_int_eq(flatfork_spawn_oom_score(how, 1001), EINVAL);
	ck_assert_int_eq(flatfork_spawn_namespaces(how, CLONE_VM), EINVAL);
	ck_assert_int_eq(flatfork_spawn_flags(how, FLATFORK_AUTOKILL), EINVAL);
}
END_TEST

static struct flatfork_error failing_start(const char *file)
{
	struct flatfork_error error;
	struct flatfork_child child;

	memset(&error, 0x55, sizeof(error));
	ck_assert_int_ne(flatfork_start(how, file, (char *[]){ "x", NULL },
					environ, &child, &error),
			 0);
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
	ck_assert_int_eq(errno, ECHILD);
	return error;
}

START_TEST(an_error_names_the_action)
{
	struct flatfork_error error;

	flatfork_spawn_close(how, 700);
	flatfork_spawn_open(how, 3, "/x/y", O_RDONLY, 0);
	error = failing_start("/bin/true");
	ck_assert_int_eq(error.error, ENOENT);
	ck_assert_int_eq(error.where, FLATFORK_IN_ACTION);
	ck_assert_uint_eq(error.index, 1);
	ck_assert_str_eq(error.step, "open");
	ck_assert_str_eq(error.argument, "/x/y");
	ck_assert_str_eq(error.text, "action 1: open \"/x/y\": "
				     "No such file or directory");
}
END_TEST

/* Three descriptors, then 5 is closed, and all from 7 on; a ring of two needs a
 * third place. */
START_TEST(a_map_counts_as_what_it_takes)
{
	const struct flatfork_fd map[] = { { 0, 3 }, { 1, 4 }, { 1, 6 } };
	const struct flatfork_fd ring[] = { { 3, 4 }, { 4, 3 } };

	flatfork_spawn_map(how, map, 3, true);
	flatfork_spawn_chdir(how, "/x/y");
	ck_assert_uint_eq(failing_start("/bin/true").index, 5);
	flatfork_spawn_free(how);
	how = flatfork_spawn_new();
	flatfork_spawn_map(how, map, 2, false);
	flatfork_spawn_map(how, ring, 2, false);
	flatfork_spawn_chdir(how, "/x/y");
	ck_assert_uint_eq(failing_start("/bin/true").index, 5);
}
END_TEST

START_TEST(a_session_has_one_group)
{
	struct flatfork_error error;

	flatfork_spawn_session(how, -1);
	flatfork_spawn_process_group(how, 0);
	error = failing_start("/bin/true");
	ck_assert_int_eq(error.error, EPERM);
	ck_assert_int_eq(error.where, FLATFORK_IN_ATTRIBUTE);
	ck_assert_uint_eq(error.index, 1);
	ck_assert_str_eq(error.step, "setpgid");
}
END_TEST

START_TEST(an_error_names_the_attribute)
{
	struct flatfork_error error;

	flatfork_spawn_umask(how, 0);
	flatfork_spawn_session(how, 777);
	error = failing_start("/bin/true");
	ck_assert_int_eq(error.error, EBADF);
	ck_assert_int_eq(error.where, FLATFORK_IN_ATTRIBUTE);
	ck_assert_uint_eq(error.index, 2);
	ck_assert_str_eq(error.step, "controlling terminal");
	ck_assert_str_eq(error.argument, "777");
}
END_TEST

START_TEST(an_error_names_the_program)
{
	struct flatfork_error error = failing_start("/etc/passwd");

	ck_assert_int_eq(error.error, EACCES);
	ck_assert_int_eq(error.where, FLATFORK_IN_EXEC);
	ck_assert_str_eq(error.step, "exec");
	ck_assert_str_eq(error.argument, "/etc/passwd");
	flatfork_spawn_search_path(how, true);
	error = failing_start("no-such-program");
	ck_assert_str_eq(error.text, "exec \"no-such-program\": "
				     "No such file or directory");
}
END_TEST

/* Linux 7.1's flags: works, or is said clearly. */
static const struct {
	int flags;
	const char *argument, *text;
} newer[] = {
	{ FLATFORK_AUTOREAP, "AUTOREAP",
	  "new process with AUTOREAP: the kernel is too old" },
	{ FLATFORK_BORN_NNP, "BORN_NNP",
	  "new process with BORN_NNP: the kernel is too old" },
	{ FLATFORK_AUTOREAP | FLATFORK_AUTOKILL | FLATFORK_BORN_NNP,
	  "AUTOREAP, AUTOKILL, BORN_NNP",
	  "new process with AUTOREAP, AUTOKILL, BORN_NNP: "
	  "the kernel is too old" },
};

#define NEWER ((int)(sizeof(newer) / sizeof(*newer)))

START_TEST(what_the_kernel_lacks_is_said_clearly)
{
	struct flatfork_child child = { -1, -1 };
	struct flatfork_error error = { .error = 0 };
	int free_fd = dup(0), rc;

	close(free_fd);
	ck_assert_int_eq(flatfork_spawn_flags(how, newer[_i].flags), 0);
	rc = flatfork_start(how, "/bin/true", (char *[]){ "true", NULL },
			    environ, &child, &error);
	if (rc == 0) {
		/* one that is reaped leaves no zombie */
		if (newer[_i].flags & FLATFORK_AUTOREAP)
			ck_assert_int_eq(waitpid(child.pid, NULL, 0), -1);
		else
			ck_assert_int_eq(waitpid(child.pid, NULL, 0),
					 child.pid);
		return;
	}
	ck_assert_int_eq(rc, ENOTSUP);
	ck_assert_int_eq(error.error, ENOTSUP);
	ck_assert_int_eq(error.where, FLATFORK_IN_PROCESS);
	ck_assert_str_eq(error.step, "clone");
	ck_assert_str_eq(error.argument, newer[_i].argument);
	ck_assert_str_eq(error.text, newer[_i].text);
	ck_assert_int_eq(child.pid, -1);
	ck_assert_int_eq(waitpid(-1, NULL, 0), -1);
	ck_assert_int_eq(dup(0), free_fd);
	close(free_fd);
	/* without it, the description is as good as before */
	flatfork_spawn_flags(how, 0);
	flatfork_spawn_pidfd(how, false);
	ck_assert_int_eq(flatfork_start(how, "/bin/true",
					(char *[]){ "true", NULL }, environ,
					&child, NULL),
			 0);
	ck_assert_int_eq(waitpid(child.pid, NULL, 0), child.pid);
}
END_TEST

START_TEST(a_pidfd_tells_the_end)
{
	struct flatfork_child child;
	struct pollfd wait = { .events = POLLIN };

	flatfork_spawn_pidfd(how, true);
	ck_assert_int_eq(flatfork_start(how, "/bin/true",
					(char *[]){ "true", NULL }, environ,
					&child, NULL),
			 0);
	wait.fd = child.pidfd;
	ck_assert_int_eq(poll(&wait, 1, 10000), 1);
	ck_assert_int_eq(waitpid(child.pid, NULL, 0), child.pid);
	close(child.pidfd);
}
END_TEST

START_TEST(a_namespace_of_its_own)
{
	struct flatfork_child child;
	struct flatfork_error error;
	int status;

	ck_assert_int_eq(flatfork_spawn_namespaces(how, CLONE_NEWUSER |
								CLONE_NEWPID),
			 0);
	flatfork_spawn_map_ids(how, 0, 0);
	if (flatfork_start(how, "/bin/sh",
			   (char *[]){ "sh", "-c",
				       "[ $$ = 1 ] && [ $(id -u) = 0 ]", NULL },
			   environ, &child, &error)) {
		/* not everybody may */
		ck_assert_msg(error.error == EPERM || error.error == ENOSPC,
			      "%s", error.text);
		return;
	}
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_cgroup_that_is_none)
{
	struct flatfork_error error;

	ck_assert_int_eq(flatfork_spawn_cgroup_path(how, "/no/such"), 0);
	error = failing_start("/bin/true");
	ck_assert_int_eq(error.error, ENOENT);
	ck_assert_int_eq(error.where, FLATFORK_IN_PROCESS);
	ck_assert_str_eq(error.argument, "/no/such");
	flatfork_spawn_cgroup_fd(how, 0);
	error = failing_start("/bin/true");
	ck_assert_int_eq(error.error, EBADF);
}
END_TEST

/* H-S5 */
START_TEST(a_child_does_not_outlive_its_parent)
{
	struct flatfork_child child;
	int fd[2], status;
	pid_t parent, pid = 0;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe2(fd, O_CLOEXEC), 0);
	flatfork_spawn_death_signal(how, SIGTERM);
	if (geteuid() == 0)
		flatfork_spawn_uid(how, 4321); /* which clears it */
	parent = fork();
	if (parent == 0) {
		flatfork_start(how, "/bin/sleep",
			       (char *[]){ "sleep", "100", NULL }, environ,
			       &child, NULL);
		_exit(write(fd[1], &child.pid, sizeof(pid)) != sizeof(pid));
	}
	ck_assert_int_eq(read(fd[0], &pid, sizeof(pid)), sizeof(pid));
	ck_assert_int_eq(waitpid(parent, NULL, 0), parent);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGTERM);
}
END_TEST

static void *start_many(void *unused)
{
	struct flatfork_child child;
	long bad = 0;
	int i, status;

	for (i = 0; i < 50; i++) {
		if (flatfork_start(how, "/bin/true", (char *[]){ "true", NULL },
				   environ, &child, NULL) ||
		    waitpid(child.pid, &status, 0) != child.pid || status)
			bad++;
	}
	(void)unused;
	return (void *)bad;
}

START_TEST(threads_share_a_description)
{
	pthread_t thread[8];
	void *bad;
	int i;

	flatfork_spawn_open(how, 0, "/dev/null", O_RDONLY, 0);
	flatfork_spawn_close_from(how, 3);
	for (i = 0; i < 8; i++)
		ck_assert_int_eq(
			pthread_create(&thread[i], NULL, start_many, NULL), 0);
	for (i = 0; i < 8; i++) {
		pthread_join(thread[i], &bad);
		ck_assert_ptr_null(bad);
	}
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, make, drop);
	tcase_add_test(tests, without_a_description_nothing_changes);
	tcase_add_test(tests, attributes_are_what_was_said);
	tcase_add_test(tests, affinity_and_scheduler);
	tcase_add_test(tests, ids_are_changed_by_root);
	tcase_add_test(tests, signals_are_blocked_ignored_and_default);
	tcase_add_test(tests, a_map_may_be_a_ring);
	tcase_add_test(tests, a_map_refuses_what_is_no_map);
	tcase_add_test(tests, an_error_names_the_action);
	tcase_add_test(tests, a_map_counts_as_what_it_takes);
	tcase_add_test(tests, a_session_has_one_group);
	tcase_add_test(tests, an_error_names_the_attribute);
	tcase_add_test(tests, an_error_names_the_program);
	tcase_add_loop_test(tests, what_the_kernel_lacks_is_said_clearly, 0,
			    NEWER);
	tcase_add_test(tests, a_pidfd_tells_the_end);
	tcase_add_test(tests, a_namespace_of_its_own);
	tcase_add_test(tests, a_cgroup_that_is_none);
	tcase_add_test(tests, a_child_does_not_outlive_its_parent);
	tcase_add_test(tests, threads_share_a_description);
}
