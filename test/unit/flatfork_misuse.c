/* The linkable API in the hands of who does not look: failed look-ups, nulls,
 * values of no use, everything twice. It says so, or does what it says. */
#include "flatfork/flatfork.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "how.h"
#include "unit.h"

const char unit_subject[] = "flatfork_misuse";

static struct flatfork_error error;
static char *arguments[] = { "true", NULL };

static int start(const char *file)
{
	struct flatfork_child child = { -7, -7 };
	int rc, status = -1;

	memset(&error, 0x55, sizeof(error));
	rc = flatfork_start(how, file, arguments, environ, &child, &error);
	if (rc) {
		ck_assert_int_eq(child.pid, -7);
		ck_assert_int_eq(error.error, rc);
		ck_assert_ptr_nonnull(memchr(error.text, 0, 256));
		ck_assert_ptr_nonnull(memchr(error.argument, 0, 128));
	} else {
		ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	return rc;
}

/* A user that is not in the list: -1, which is no id to keep. */
START_TEST(nobody_is_not_root)
{
	const gid_t groups[] = { 3, (gid_t)-1, 5 };

	flatfork_spawn_uid(how, (uid_t)-1);
	ck_assert_int_eq(start("/bin/true"), EINVAL);
	ck_assert_str_eq(error.step, "setresuid");
	ck_assert_int_eq(error.where, FLATFORK_IN_ATTRIBUTE);
	drop();
	make();
	flatfork_spawn_gid(how, (gid_t)-1);
	ck_assert_int_eq(start("/bin/true"), EINVAL);
	ck_assert_str_eq(error.step, "setresgid");
	drop();
	make();
	ck_assert_int_eq(flatfork_spawn_groups(how, 3, groups), 0);
	ck_assert_int_eq(start("/bin/true"), geteuid() ? EPERM : EINVAL);
	ck_assert_str_eq(error.step, "setgroups");
}
END_TEST

/* A group that could not be opened: not the caller's. */
START_TEST(no_cgroup_is_not_mine)
{
	flatfork_spawn_cgroup_fd(how, open("/no/such/group", O_RDONLY));
	ck_assert_int_eq(start("/bin/true"), EBADF);
	ck_assert_int_eq(error.where, FLATFORK_IN_PROCESS);
	ck_assert_int_eq(flatfork_spawn_cgroup_path(how, "/tmp"), 0);
	ck_assert_int_eq(start("/bin/true"), EBADF);
	ck_assert_str_eq(error.argument, "/tmp");
	ck_assert_int_eq(flatfork_spawn_cgroup_path(how, NULL), 0);
	ck_assert_int_eq(start("/bin/true"), 0);
}
END_TEST

START_TEST(nulls)
{
	ck_assert_int_eq(flatfork_spawn_open(how, 1, NULL, 0, 0), EINVAL);
	ck_assert_int_eq(flatfork_spawn_chdir(how, NULL), EINVAL);
	ck_assert_int_eq(flatfork_spawn_map(how, NULL, 1, false), EINVAL);
	ck_assert_int_eq(flatfork_spawn_map(how, NULL, 0, true), 0);
	ck_assert_int_eq(flatfork_spawn_affinity(how, 8, NULL), EINVAL);
	ck_assert_int_eq(flatfork_spawn_limit(how, RLIMIT_CORE, NULL), EINVAL);
	ck_assert_int_eq(flatfork_spawn_groups(how, 1, NULL), EINVAL);
	flatfork_spawn_signal_mask(how, NULL);
	flatfork_spawn_signals_default(how, NULL);
	flatfork_spawn_signals_ignore(how, NULL);
	ck_assert_int_eq(start(NULL), EFAULT);
	ck_assert_int_eq(error.where, FLATFORK_IN_EXEC);
	ck_assert_int_eq(start((const char *)8), EFAULT);
	ck_assert_int_eq(error.where, FLATFORK_IN_EXEC);
	ck_assert_str_eq(error.argument, "");
	flatfork_spawn_search_path(how, true);
	ck_assert_int_eq(start(NULL), EFAULT);
	ck_assert_int_eq(start("true"), 0);
	ck_assert_int_eq(flatfork_start(NULL, NULL, NULL, NULL, NULL, NULL),
			 EFAULT);
	flatfork_spawn_free(NULL);
}
END_TEST

START_TEST(values_of_no_use)
{
	static const struct flatfork_fd map[] = { { 0, INT_MAX }, { 0, 1 } };
	static const struct rlimit limit = { 5, 4 };

	ck_assert_int_eq(flatfork_spawn_map(how, map, SIZE_MAX, true), EINVAL);
	ck_assert_int_eq(flatfork_spawn_map(how, map, 2, true), EBADF);
	ck_assert_int_eq(flatfork_spawn_close_from(how, INT_MAX), EBADF);
	ck_assert_int_eq(flatfork_spawn_close_from(how, INT_MIN), EBADF);
	ck_assert_int_eq(flatfork_spawn_affinity(how, 1025,
						 (const cpu_set_t *)&map),
			 EINVAL);
	ck_assert_int_eq(flatfork_spawn_limit(how, -1, &limit), EINVAL);
	ck_assert_int_eq(flatfork_spawn_limit(how, RLIM_NLIMITS, &limit),
			 EINVAL);
	ck_assert_int_eq(flatfork_spawn_groups(how, (size_t)-1,
					       (const gid_t *)map),
			 EINVAL);
	ck_assert_int_eq(flatfork_spawn_oom_score(how, INT_MIN), EINVAL);
	ck_assert_int_eq(flatfork_spawn_flags(how, INT_MIN), EINVAL);
	ck_assert_int_eq(start("/bin/true"), 0);
	ck_assert_int_eq(flatfork_spawn_limit(how, RLIMIT_CORE, &limit), 0);
	ck_assert_int_eq(start("/bin/true"), EINVAL);
}
END_TEST

/* What can only be found out by trying is found out by the child. */
START_TEST(values_the_kernel_refuses)
{
	flatfork_spawn_death_signal(how, 65);
	ck_assert_int_eq(start("/bin/true"), EINVAL);
	flatfork_spawn_death_signal(how, -1);
	ck_assert_int_eq(start("/bin/true"), EINVAL);
	flatfork_spawn_death_signal(how, 0);
	ck_assert_int_eq(start("/bin/true"), 0);
	flatfork_spawn_scheduler(how, 77, 0);
	ck_assert_int_eq(start("/bin/true"), EINVAL);
	flatfork_spawn_scheduler(how, SCHED_OTHER, 0);
	flatfork_spawn_process_group(how, -1);
	ck_assert_int_eq(start("/bin/true"), EINVAL);
	flatfork_spawn_process_group(how, INT_MAX);
	ck_assert_int_eq(start("/bin/true"), EPERM);
	/* the last word counts, as everywhere */
	flatfork_spawn_process_group(how, 0);
	ck_assert_int_eq(start("/bin/true"), 0);
}
END_TEST

/* Whoever wants no child gets no descriptor either. */
START_TEST(no_pidfd_is_lost)
{
	int before = dup(0), after;

	close(before);
	flatfork_spawn_pidfd(how, true);
	flatfork_spawn_death_signal(how, SIGTERM);
	ck_assert_int_eq(flatfork_start(how, "/bin/true", arguments, environ,
					NULL, NULL),
			 0);
	ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
	ck_assert_int_eq(start("/no/such/program"), ENOENT);
	after = dup(0);
	close(after);
	ck_assert_int_eq(after, before);
	ck_assert_int_eq(flatfork_spawn_flags(how, FLATFORK_AUTOREAP |
							   FLATFORK_AUTOKILL),
			 0);
	ck_assert_int_eq(flatfork_start(how, "/bin/true", arguments, environ,
					NULL, NULL),
			 EINVAL);
}
END_TEST

/* The reason is there, however long the path. */
START_TEST(a_long_path_leaves_the_reason)
{
	static const char reason[] = "\": No such file or directory";
	char path[1500];
	size_t n;

	memset(path, 'x', sizeof(path) - 1);
	for (n = 0; n < sizeof(path); n += 100)
		path[n] = '/';
	path[sizeof(path) - 1] = '\0';
	for (n = 100; n < sizeof(path); n += 7) {
		const char *file = path + sizeof(path) - 1 - n;

		/* a name of its own, not to be cut within */
		drop();
		make();
		ck_assert_int_eq(flatfork_spawn_open(how, 1, file, O_RDONLY, 0),
				 0);
		ck_assert_int_eq(start("/bin/true"), ENOENT);
		ck_assert_ptr_nonnull(strstr(error.text, reason));
		ck_assert_int_eq(strncmp(error.text, "action 0: open \"", 16),
				 0);
		drop();
		make();
		ck_assert_int_eq(start(file), ENOENT);
		ck_assert_ptr_nonnull(strstr(error.text, reason));
	}
	ck_assert_uint_eq(strlen(error.text), sizeof(error.text) - 1);
}
END_TEST

/* A limit that was lowered does not close what is above it; a map does. */
START_TEST(a_map_closes_what_is_above_the_limit)
{
	const struct flatfork_fd map[] = { { 0, 9 } };
	struct rlimit limit;

	ck_assert_int_eq(dup2(0, 500), 500);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 10;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(flatfork_spawn_map(how, map, 1, true), 0);
	ck_assert_int_eq(
		flatfork_start(how, "/bin/sh",
			       (char *[]){ "sh", "-c",
					   "! [ -e /proc/self/fd/500 ]", NULL },
			       environ, NULL, NULL),
		0);
	ck_assert_int_gt(waitpid(-1, (int *)&limit, 0), 0);
	ck_assert_int_eq(*(int *)&limit, 0);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, make, drop);
	tcase_add_test(tests, nobody_is_not_root);
	tcase_add_test(tests, no_cgroup_is_not_mine);
	tcase_add_test(tests, nulls);
	tcase_add_test(tests, values_of_no_use);
	tcase_add_test(tests, values_the_kernel_refuses);
	tcase_add_test(tests, no_pidfd_is_lost);
	tcase_add_test(tests, a_long_path_leaves_the_reason);
	tcase_add_test(tests, a_map_closes_what_is_above_the_limit);
}
