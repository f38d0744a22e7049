/* The line of counters: how it reads, and that it is written once. */
#include "tell/stats.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tell/options.h"
#include "unit.h"

const char unit_subject[] = "stats";

static char line[FF_STATS_LINE_MAX + 1];

static const char *format(const char *comm)
{
	struct ff_stats stats = { 0 };

	stats.forks_lazy = 1;
	stats.forks_real = 22;
	stats.rollbacks = 333;
	stats.hydrations = LONG_MAX;
	stats.forks_warned = 11;
	stats.forks_denied = 8;
	stats.forks_lent = 777;
	stats.spawns = 4444;
	stats.vforks = 55555;
	stats.vforks_own = 6;
	line[ff_stats_format(line, 7, comm, &stats)] = '\0';
	return line;
}

START_TEST(the_line_is_one_json_object)
{
	ck_assert_str_eq(format("perl"),
			 "{\"pid\":7,\"comm\":\"perl\",\"forks_lazy\":1,"
			 "\"forks_real\":22,\"forks_warned\":11,\"forks_denied\":8,"
			 "\"rollbacks\":333,"
			 "\"hydrations\":9223372036854775807,"
			 "\"forks_lent\":777,\"spawns\":4444,\"vforks\":55555,"
			 "\"vforks_own\":6}\n");
}
END_TEST

static const struct {
	const char *comm;
	const char *json;
} names[] = {
	{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "a\nb\t\001\177", "\"a\\u000ab\\u0009\\u0001\\u007f\"" },
	{ "h\xc3\xbcpf \xe2\x82\xac", "\"h\xc3\xbcpf \xe2\x82\xac\"" },
	{ "\xf0\x9f\x90\x98", "\"\xf0\x9f\x90\x98\"" },
	/* cut in the middle, stray, overlong, a surrogate, too big */
	{ "x\xe2\x82", "\"x\\ufffd\\ufffd\"" },
	{ "\xff\x80y", "\"\\ufffd\\ufffdy\"" },
	{ "\xc0\xaf", "\"\\ufffd\\ufffd\"" },
	{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
	{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
	{ "", "\"\"" },
};

START_TEST(any_process_name_is_valid_json)
{
	char want[256];

	snprintf(want, sizeof(want), "\"comm\":%s,", names[_i].json);
	ck_assert_ptr_nonnull(strstr(format(names[_i].comm), want));
}
END_TEST

static const char *use_file(void)
{
	ff_options.on = true;
	ff_options.stats = unit_path();
	return ff_options.stats;
}

/* What was written up to now; the file is taken away. */
static const char *written_to(const char *path)
{
	static char text[4096];

	if (unit_read_file(path, text, sizeof(text)) < 0)
		return "";
	unlink(path);
	return text;
}

static const char *expected(const char *comm, long lazy, long real)
{
	static char text[512];

	snprintf(
		text, sizeof(text),
		"{\"pid\":%d,\"comm\":\"%s\",\"forks_lazy\":%ld,"
		"\"forks_real\":%ld,\"forks_warned\":0,\"forks_denied\":0,"
		"\"rollbacks\":0,\"hydrations\":0,"
		"\"forks_lent\":0,\"spawns\":0,\"vforks\":0,\"vforks_own\":0}\n",
		(int)getpid(), comm, lazy, real);
	return text;
}

START_TEST(the_line_is_written_once)
{
	const char *path = use_file();

	prctl(PR_SET_NAME, "na\"me");
	ff_stats.forks_lazy = 3;
	errno = 1234;
	ff_stats_write();
	ff_stats_write();
	ck_assert_int_eq(errno, 1234);
	ck_assert_str_eq(written_to(path), expected("na\\\"me", 3, 0));
}
END_TEST

START_TEST(a_process_without_forks_has_a_line_too)
{
	const char *path = use_file();

	prctl(PR_SET_NAME, "idle");
	ff_stats_write();
	ck_assert_str_eq(written_to(path), expected("idle", 0, 0));
}
END_TEST

START_TEST(forks_after_a_failed_exec_are_told_and_none_twice)
{
	const char *path = use_file();

	prctl(PR_SET_NAME, "again");
	ff_stats.forks_lazy = 3;
	ff_stats_write();
	ck_assert_str_eq(written_to(path), expected("again", 3, 0));
	ff_stats.forks_real++;
	ff_stats_write();
	ff_stats_write();
	ck_assert_str_eq(written_to(path), expected("again", 0, 1));
}
END_TEST

START_TEST(a_fork_told_ahead_that_failed_is_taken_back)
{
	const char *path = use_file();

	prctl(PR_SET_NAME, "ahead");
	ff_stats.forks_real++;
	ff_stats_write();
	ff_stats.forks_real--;
	ck_assert_str_eq(written_to(path), expected("ahead", 0, 1));
	ff_stats.forks_lazy++;
	ff_stats_write();
	ck_assert_str_eq(written_to(path), expected("ahead", 1, -1));
}
END_TEST

START_TEST(a_new_child_starts_from_zero)
{
	const char *path = use_file();

	prctl(PR_SET_NAME, "child");
	ff_stats.forks_lazy = 3;
	ff_stats_write();
	written_to(path);
	ff_stats.forks_lazy = 2;
	ff_stats_reset();
	ff_stats_write();
	ck_assert_str_eq(written_to(path), expected("child", 0, 0));
}
END_TEST

static void *write_from_thread(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "worker");
	ff_stats_write();
	return NULL;
}

START_TEST(the_name_is_the_processs_not_the_threads)
{
	const char *path = use_file();
	pthread_t thread;

	prctl(PR_SET_NAME, "fifteen-letters");
	ck_assert_int_eq(pthread_create(&thread, NULL, write_from_thread, NULL),
			 0);
	pthread_join(thread, NULL);
	ck_assert_str_eq(written_to(path), expected("fifteen-letters", 0, 0));
}
END_TEST

START_TEST(what_could_not_be_written_is_told_later)
{
	const char *path;

	ff_options.on = true;
	ff_options.stats = "/nonexistent/stats";
	ff_stats.forks_lazy = 5;
	ff_stats_write();
	path = use_file();
	prctl(PR_SET_NAME, "late");
	ff_stats_write();
	ck_assert_str_eq(written_to(path), expected("late", 5, 0));
}
END_TEST

START_TEST(without_the_option_no_file_appears)
{
	const char *path = use_file();

	ff_options.on = false;
	ff_stats_write();
	ck_assert_int_ne(access(path, F_OK), 0);
	ff_options.on = true;
	ff_options.stats = NULL;
	ff_stats_write();
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, the_line_is_one_json_object);
	tcase_add_loop_test(tests, any_process_name_is_valid_json, 0,
			    sizeof(names) / sizeof(*names));
	tcase_add_test(tests, the_line_is_written_once);
	tcase_add_test(tests, a_process_without_forks_has_a_line_too);
	tcase_add_test(tests,
		       forks_after_a_failed_exec_are_told_and_none_twice);
	tcase_add_test(tests, a_fork_told_ahead_that_failed_is_taken_back);
	tcase_add_test(tests, a_new_child_starts_from_zero);
	tcase_add_test(tests, the_name_is_the_processs_not_the_threads);
	tcase_add_test(tests, what_could_not_be_written_is_told_later);
	tcase_add_test(tests, without_the_option_no_file_appears);
}
