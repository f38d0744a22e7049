/* The environment becomes options: values, defaults, warnings, silence. */
#include "tell/options.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

const char unit_subject[] = "options";

/* As a script of perl's would have it. */
static const char *const program[] = { "script.pl", "perl", NULL };

static void say(const char *text, size_t n)
{
	ck_assert_int_eq(write(STDERR_FILENO, text, n), (ssize_t)n);
}

#define LOAD(...) \
	ff_options_load((char *const[]){ __VA_ARGS__, NULL }, program, say)

/* Standard error goes to a file until warned() is asked. */
static const char *warnings;

static void catch_warnings(void)
{
	int fd;

	warnings = unit_path();
	fd = open(warnings, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
}

static const char *warned(void)
{
	static char text[4096];

	ck_assert_int_ge(unit_read_file(warnings, text, sizeof(text)), 0);
	unlink(warnings);
	return text;
}

static void assert_defaults(void)
{
	ck_assert(ff_options.on);
	ck_assert_int_eq(ff_options.fork_mode, FF_FORK_AUTO);
	ck_assert_int_eq(ff_options.spawn_mode, FF_MODE_AUTO);
	ck_assert_uint_eq(ff_options.min_rss_bytes, 16UL << 20);
	ck_assert_uint_eq(ff_options.commit_max_bytes, 4UL << 30);
	ck_assert_uint_eq(ff_options.budget_ms, 100);
	ck_assert_ptr_null(ff_options.log);
	ck_assert_ptr_null(ff_options.stats);
}

START_TEST(everything_is_off_before_loading)
{
	ck_assert(!ff_options.on);
}
END_TEST

START_TEST(an_empty_environment_gives_the_defaults)
{
	ff_options_load(NULL, program, say);
	assert_defaults();
	LOAD("HOME=/", "FLATFORKX=off", "FLATFORK");
	assert_defaults();
}
END_TEST

START_TEST(good_values_are_taken)
{
	catch_warnings();
	LOAD("FLATFORK=on", "FLATFORK_FORK=lazy", "FLATFORK_SPAWN=libc",
	     "FLATFORK_MIN_RSS=1G", "FLATFORK_BUDGET_MS=250",
	     "FLATFORK_LOG=stderr", "FLATFORK_STATS=/tmp/x");
	ck_assert(ff_options.on);
	ck_assert_int_eq(ff_options.fork_mode, FF_FORK_LAZY);
	ck_assert_int_eq(ff_options.spawn_mode, FF_MODE_LIBC);
	ck_assert_uint_eq(ff_options.min_rss_bytes, 1UL << 30);
	ck_assert_uint_eq(ff_options.budget_ms, 250);
	ck_assert_str_eq(ff_options.log, "stderr");
	ck_assert_str_eq(ff_options.stats, "/tmp/x");
	LOAD("FLATFORK_FORK=real");
	ck_assert_int_eq(ff_options.fork_mode, FF_FORK_REAL);
	LOAD("FLATFORK_FORK=auto");
	ck_assert_int_eq(ff_options.fork_mode, FF_FORK_AUTO);
	ck_assert_str_eq(warned(), "");
}
END_TEST

START_TEST(of_two_variables_the_first_counts)
{
	LOAD("FLATFORK_BUDGET_MS=7", "FLATFORK_BUDGET_MS=8");
	ck_assert_uint_eq(ff_options.budget_ms, 7);
}
END_TEST

START_TEST(empty_variables_count_as_not_set)
{
	catch_warnings();
	LOAD("FLATFORK=", "FLATFORK_FORK=", "FLATFORK_MIN_RSS=",
	     "FLATFORK_BUDGET_MS=", "FLATFORK_LOG=", "FLATFORK_STATS=");
	assert_defaults();
	ck_assert_str_eq(warned(), "");
}
END_TEST

START_TEST(strings_outlive_the_environment)
{
	char log[] = "FLATFORK_LOG=/tmp/log", stats[] = "FLATFORK_STATS=/tmp/s";

	LOAD(log, stats);
	memset(log, 'x', sizeof(log) - 1);
	memset(stats, 'x', sizeof(stats) - 1);
	ck_assert_str_eq(ff_options.log, "/tmp/log");
	ck_assert_str_eq(ff_options.stats, "/tmp/s");
}
END_TEST

static const struct {
	const char *text;
	uint64_t bytes;
} sizes[] = {
	{ "0", 0 },
	{ "1", 1 },
	{ "4096", 4096 },
	{ "512K", 512UL << 10 },
	{ "512k", 512UL << 10 },
	{ "32M", 32UL << 20 },
	{ "1.5G", 3UL << 29 },
	{ "0.001K", 1 },
	{ "2T", 2UL << 40 },
	{ "18446744073709551615", UINT64_MAX },
	{ "16777215T", UINT64_C(16777215) << 40 },
};

START_TEST(sizes_have_binary_suffixes)
{
	char text[64];

	catch_warnings();
	snprintf(text, sizeof(text), "FLATFORK_MIN_RSS=%s", sizes[_i].text);
	LOAD(text);
	ck_assert_uint_eq(ff_options.min_rss_bytes, sizes[_i].bytes);
	ck_assert_str_eq(warned(), "");
}
END_TEST

static const char *const bad[] = {
	"FLATFORK=yes",
	"FLATFORK=OFF",
	"FLATFORK_FORK=lazyy",
	"FLATFORK_FORK=0",
	"FLATFORK_MIN_RSS=many",
	"FLATFORK_MIN_RSS=-1",
	"FLATFORK_MIN_RSS= 1",
	"FLATFORK_MIN_RSS=M",
	"FLATFORK_MIN_RSS=1MB",
	"FLATFORK_MIN_RSS=1.5",
	"FLATFORK_MIN_RSS=1.G",
	"FLATFORK_MIN_RSS=1.0001G",
	"FLATFORK_MIN_RSS=16777216T",
	"FLATFORK_MIN_RSS=16777215.999999T",
	"FLATFORK_MIN_RSS=18446744073709551616",
	"FLATFORK_BUDGET_MS=0",
	"FLATFORK_BUDGET_MS=-5",
	"FLATFORK_BUDGET_MS=1s",
	"FLATFORK_BUDGET_MS=3600001",
	"FLATFORK_FALLBACK=deny:",
	"FLATFORK_FALLBACK=deny:1Q",
	"FLATFORK_FALLBACK=copy:1G",
	"FLATFORK_INHERIT=no",
	"FLATFORK_ONLY=/usr/bin/perl",
	"FLATFORK_SKIP=a,b/c",
};

static const struct ff_option *option_of(const char *setting)
{
	const size_t n = strcspn(setting, "=");

	for (size_t i = 0; i < FF_OPTION_COUNT; i++)
		if (strlen(ff_option_table[i].env) == n &&
		    !strncmp(ff_option_table[i].env, setting, n))
			return &ff_option_table[i];
	ck_abort_msg("no such option: %s", setting);
}

START_TEST(a_bad_value_gives_one_warning_and_the_default)
{
	const struct ff_option *option = option_of(bad[_i]);
	char start[128];
	const char *text;

	snprintf(start, sizeof(start), "flatfork: %s: '%s' is not ",
		 option->env, strchr(bad[_i], '=') + 1);
	catch_warnings();
	LOAD((char *)bad[_i]);
	assert_defaults();
	text = warned();
	ck_assert(!strncmp(text, start, strlen(start)));
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	if (option->kind == FF_OPTION_WORD)
		ck_assert_ptr_nonnull(strstr(text, option->values));
	ck_assert_ptr_nonnull(strstr(text, option->fallback));
}
END_TEST

START_TEST(a_warning_says_what_was_meant)
{
	const char *text;

	catch_warnings();
	LOAD("FLATFORK_MIN_RSS=12Q", "FLATFORK_BUDGET_MS=soon",
	     "FLATFORK_FORK=lasy", "FLATFORK_ONLY=/bin/sh");
	text = warned();
	ck_assert_ptr_nonnull(strstr(text, "FLATFORK_MIN_RSS: '12Q' is not a "
					   "size: 64M, 2G; the default stands, "
					   "16M\n"));
	ck_assert_ptr_nonnull(strstr(text, "'soon' is not a number of "
					   "milliseconds, 1 to 3600000: 100, "
					   "5000; the default stands, 100\n"));
	ck_assert_ptr_nonnull(strstr(text, "'lasy' is not one of "
					   "auto|lazy|real|lent; the default "
					   "stands, auto\n"));
	ck_assert_ptr_nonnull(strstr(text, "'/bin/sh' is not names of "
					   "programs: perl,python3*; the "
					   "default stands, none\n"));
}
END_TEST

static const struct {
	const char *names, *name;
	bool have;
} lists[] = {
	{ "perl", "perl", true },
	{ "perl", "perl5", false },
	{ "perl5", "perl", false },
	{ "a,perl,b", "perl", true },
	{ "a,b", "a,b", false },
	{ "*", "", true },
	{ "*", "x", true },
	{ "py*", "python3.11", true },
	{ "*thon*", "python3.11", true },
	{ "p*n*1", "python3.11", true },
	{ "p*n*2", "python3.11", false },
	{ "*ab", "aab", true },
	{ "a**b", "ab", true },
	{ ",,", "", false },
	{ ",perl,", "perl", true },
	{ "Perl", "perl", false },
	{ "ab*,*cd", "abcd", true },
	{ "?erl", "perl", false },
	{ "a, perl", "perl", true },
	{ " perl", "perl", true },
	{ "perl , x", "perl", true },
	{ "a,\tperl\t ", "perl", true },
	{ "pe rl ,x", "pe rl", true },
	{ "a, ,b", "", false },
	{ "*a*a*a*a*b", "aaaaaaaa", false },
};

START_TEST(what_is_not_lazy_is_copied_or_denied)
{
	LOAD("HOME=/");
	ck_assert_uint_eq(ff_options.deny_bytes, FF_DENY_NEVER);
	LOAD("FLATFORK_FALLBACK=copy");
	ck_assert_uint_eq(ff_options.deny_bytes, FF_DENY_NEVER);
	LOAD("FLATFORK_FALLBACK=deny");
	ck_assert_uint_eq(ff_options.deny_bytes, 1UL << 30);
	LOAD("FLATFORK_FALLBACK=deny:2.5G");
	ck_assert_uint_eq(ff_options.deny_bytes, 5UL << 29);
	LOAD("FLATFORK_FALLBACK=deny:0");
	ck_assert_uint_eq(ff_options.deny_bytes, 0);
}
END_TEST

START_TEST(a_list_has_the_names_that_match)
{
	ck_assert_int_eq(ff_names_have(lists[_i].names, lists[_i].name),
			 lists[_i].have);
}
END_TEST

/* Setting, whether it is on. A script is known by both of its names. */
static const struct {
	char *only, *skip;
	bool on;
} choices[] = {
	{ "FLATFORK_ONLY=perl", NULL, true },
	{ "FLATFORK_ONLY=make,script*", NULL, true },
	{ "FLATFORK_ONLY=make", NULL, false },
	{ "FLATFORK_SKIP=make", NULL, true },
	{ "FLATFORK_SKIP=perl", NULL, false },
	{ "FLATFORK_SKIP=*.pl", NULL, false },
	{ "FLATFORK_ONLY=perl", "FLATFORK_SKIP=script.pl", false },
	{ "FLATFORK_ONLY=perl", "FLATFORK_SKIP=other.pl", true },
};

START_TEST(programs_are_chosen_by_name)
{
	catch_warnings();
	LOAD(choices[_i].only, choices[_i].skip);
	ck_assert_int_eq(ff_options.on, choices[_i].on);
	ck_assert_ptr_null(ff_options.only);
	ck_assert_ptr_null(ff_options.skip);
	LOAD(choices[_i].only, "FLATFORK_LOG=/tmp/x", "FLATFORK=off");
	ck_assert(!ff_options.on);
	ck_assert_str_eq(warned(), "");
}
END_TEST

START_TEST(a_path_that_is_too_long_is_a_bad_value)
{
	static char text[PATH_MAX + 32] = "FLATFORK_LOG=";
	size_t head = strlen(text);

	catch_warnings();
	memset(text + head, 'a', PATH_MAX - 1);
	LOAD(text);
	ck_assert_uint_eq(strlen(ff_options.log), PATH_MAX - 1);
	text[head + PATH_MAX - 1] = 'a';
	LOAD(text);
	ck_assert_ptr_null(ff_options.log);
	ck_assert_ptr_nonnull(strstr(warned(), "FLATFORK_LOG: 'aaaa"));
}
END_TEST

START_TEST(a_warning_is_one_line_whatever_the_value)
{
	const char *text;

	catch_warnings();
	LOAD("FLATFORK_FORK=a\nb\033[1m");
	text = warned();
	ck_assert_ptr_nonnull(strstr(text, "FLATFORK_FORK: 'a?b?[1m'"));
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}
END_TEST

START_TEST(every_other_option_is_still_read_after_a_bad_one)
{
	catch_warnings();
	LOAD("FLATFORK_FORK=x", "FLATFORK_MIN_RSS=y", "FLATFORK_BUDGET_MS=9");
	ck_assert_uint_eq(ff_options.budget_ms, 9);
	ck_assert_ptr_nonnull(strstr(warned(), "FLATFORK_MIN_RSS: 'y'"));
}
END_TEST

/*
 * Strict seccomp kills at any call but read, write, sigreturn and exit, and
 * the only write there could be is a warning, which is looked for.
 */
static void assert_silent(char *const envp[])
{
	int status;
	pid_t pid;

	catch_warnings();
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
			_exit(77);
		ff_options_load(envp, program, say);
		syscall(SYS_exit, 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	ck_assert_str_eq(warned(), "");
}

START_TEST(off_makes_no_system_call_whatever_else_is_set)
{
	assert_silent((char *const[]){ "FLATFORK_FORK=nonsense", "FLATFORK=off",
				       "FLATFORK_LOG=/tmp/x", NULL });
	LOAD("FLATFORK_FORK=lazy", "FLATFORK=off", "FLATFORK_LOG=/tmp/x",
	     "FLATFORK_STATS=/tmp/y");
	ck_assert(!ff_options.on);
	ck_assert_ptr_null(ff_options.log);
	ck_assert_ptr_null(ff_options.stats);
}
END_TEST

START_TEST(good_values_make_no_system_call)
{
	assert_silent((char *const[]){ "FLATFORK_FORK=lazy",
				       "FLATFORK_MIN_RSS=3K",
				       "FLATFORK_LOG=/tmp/x", NULL });
}
END_TEST

START_TEST(defaults_are_values_of_their_options)
{
	struct ff_options options;

	for (size_t i = 0; i < FF_OPTION_COUNT; i++) {
		const struct ff_option *option = &ff_option_table[i];

		ck_assert(!*option->fallback ||
			  ff_option_parse(option, option->fallback, &options));
	}
	ck_assert_str_eq(ff_option_table[0].env, "FLATFORK");
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, everything_is_off_before_loading);
	tcase_add_test(tests, an_empty_environment_gives_the_defaults);
	tcase_add_test(tests, good_values_are_taken);
	tcase_add_test(tests, of_two_variables_the_first_counts);
	tcase_add_test(tests, empty_variables_count_as_not_set);
	tcase_add_test(tests, strings_outlive_the_environment);
	tcase_add_loop_test(tests, sizes_have_binary_suffixes, 0,
			    sizeof(sizes) / sizeof(*sizes));
	tcase_add_loop_test(tests,
			    a_bad_value_gives_one_warning_and_the_default, 0,
			    sizeof(bad) / sizeof(*bad));
	tcase_add_test(tests, a_warning_says_what_was_meant);
	tcase_add_test(tests, what_is_not_lazy_is_copied_or_denied);
	tcase_add_loop_test(tests, a_list_has_the_names_that_match, 0,
			    sizeof(lists) / sizeof(*lists));
	tcase_add_loop_test(tests, programs_are_chosen_by_name, 0,
			    sizeof(choices) / sizeof(*choices));
	tcase_add_test(tests, a_path_that_is_too_long_is_a_bad_value);
	tcase_add_test(tests, a_warning_is_one_line_whatever_the_value);
	tcase_add_test(tests, every_other_option_is_still_read_after_a_bad_one);
	tcase_add_test(tests, off_makes_no_system_call_whatever_else_is_set);
	tcase_add_test(tests, good_values_make_no_system_call);
	tcase_add_test(tests, defaults_are_values_of_their_options);
}
