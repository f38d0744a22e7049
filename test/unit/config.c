/* Configuration files: what is taken of them, what is complained about, and
 * which are not read at all. */
#include "tell/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

const char unit_subject[] = "config";

static const char *const program[] = { "script.pl", "perl", NULL };
static char complaints[4096];

static void note(void *arg, const struct ff_line *line)
{
	(void)arg;
	strncat(complaints, line->text, line->used);
	strcat(complaints, "\n");
}

static struct ff_config config_of(const char *const names[])
{
	*complaints = '\0';
	return (struct ff_config){ .program = names, .complain = note };
}

/* The text lives as long as what points into it. */
static struct ff_config parse(const char *const names[], uint32_t said,
			      const char *text)
{
	static char copy[4096];
	struct ff_config config = config_of(names);

	config.said = said;
	strcpy(copy, text);
	ff_config_parse(&config, "x.conf", copy, strlen(copy));
	return config;
}

START_TEST(sections_are_for_programs)
{
	struct ff_config config;

	config = parse(program, 0,
		       "# all\n\n min-rss=1M \r\n"
		       "[make]\nmin-rss = 2M\nbudget-ms = 5\n"
		       "[sh, perl]\nfork = real\n"
		       "[script*]\n\tfork\t=\tlazy\nlog = /tmp/a b\n");
	ck_assert_str_eq(complaints, "");
	ck_assert_uint_eq(config.options.min_rss_bytes, 1 << 20);
	ck_assert_uint_eq(config.options.budget_ms, 0);
	ck_assert_int_eq(config.options.fork_mode, FF_FORK_LAZY);
	ck_assert_str_eq(config.options.log, "/tmp/a b");
}
END_TEST

START_TEST(places_are_taken_in_their_order)
{
	char text[] = "fork@perl+0x17d6ee = real\n[perl]\n"
		      "fork@libstdc++.so.6+popen=lazy\n[make]\n"
		      "fork@make+0x1 = real\n";
	char more[] = "spawn@a+b=libc\nvfork@a+b=auto\nlend@a+b=off\n";
	char many[] = "[perl]\nfork@a+b = real\n";
	struct ff_places places = { .count = 0 };
	struct ff_config config = config_of(program);

	config.places = &places;
	ff_config_parse(&config, "x.conf", text, sizeof(text) - 1);
	ck_assert_str_eq(complaints, "");
	ck_assert_uint_eq(places.count, 2);
	ck_assert_str_eq(places.place[0].module, "perl");
	ck_assert_str_eq(places.place[0].function, "");
	ck_assert_uint_eq(places.place[0].offset, 0x17d6ee);
	ck_assert_int_eq(places.place[0].mode, FF_FORK_REAL);
	ck_assert_str_eq(places.place[1].module, "libstdc++.so.6");
	ck_assert_str_eq(places.place[1].function, "popen");
	ck_assert_int_eq(places.place[1].mode, FF_FORK_LAZY);
	ck_assert_int_eq(places.place[1].of, FF_PLACE_FORK);
	ff_config_parse(&config, "x.conf", more, sizeof(more) - 1);
	ck_assert_uint_eq(places.count, 5);
	ck_assert_int_eq(places.place[2].of, FF_PLACE_SPAWN);
	ck_assert_int_eq(places.place[2].mode, FF_MODE_LIBC);
	ck_assert_int_eq(places.place[3].of, FF_PLACE_VFORK);
	ck_assert_int_eq(places.place[3].mode, FF_MODE_AUTO);
	ck_assert_int_eq(places.place[4].of, FF_PLACE_LEND);
	ck_assert_int_eq(places.place[4].mode, FF_LEND_OFF);
	while (places.count < FF_PLACES_MAX) {
		strcpy(many, "[perl]\nfork@a+b = real\n");
		ff_config_parse(&config, "x.conf", many, sizeof(many) - 1);
	}
	strcpy(many, "[perl]\nfork@a+b = real\n");
	ff_config_parse(&config, "x.conf", many, sizeof(many) - 1);
	ck_assert_str_eq(complaints, "x.conf:2: more places than 16\n");
}
END_TEST

START_TEST(the_environment_goes_before_a_file)
{
	struct ff_config config;
	uint32_t said = 0;

	for (size_t i = 0; i < FF_OPTION_COUNT; i++)
		if (!strcmp(ff_option_table[i].env, "FLATFORK_FORK"))
			said = (uint32_t)1 << i;
	config = parse(program, said, "fork = real\nvfork = libc\n");
	ck_assert_int_eq(config.options.fork_mode, FF_FORK_AUTO);
	ck_assert_int_eq(config.options.vfork_mode, FF_MODE_LIBC);
}
END_TEST

START_TEST(every_option_but_those_of_the_start_has_a_key)
{
	char text[256];

	for (size_t i = 0; i < FF_OPTION_COUNT; i++) {
		const struct ff_option *option = &ff_option_table[i];
		const char *key = ff_option_key(option);

		if (!key || !*option->fallback)
			continue;
		snprintf(text, sizeof(text), "%s = %s\n", key,
			 option->fallback);
		parse(program, 0, text);
		ck_assert_str_eq(complaints, "");
	}
	parse(program, 0, "only = perl\n");
	ck_assert_ptr_nonnull(strstr(complaints, "'only' is not one of "
						 "flatfork, fork, "));
}
END_TEST

static const struct {
	const char *text, *complaint;
} mistakes[] = {
	{ "min-rss = 12Q\n",
	  "x.conf:1: min-rss: '12Q' is not a size: 64M, 2G\n" },
	{ "\n\nfork = lasy\n",
	  "x.conf:3: fork: 'lasy' is not one of auto|lazy|real|lent\n" },
	{ "fork lazy\n", "x.conf:1: neither [NAME,...] nor OPTION = VALUE\n" },
	/* What is below is nobody's, and not of the section before. */
	{ "[perl]\n[perl\nfork = real\n",
	  "x.conf:2: not names of programs: [perl,python3*]\n" },
	{ "[perl] # words\nfork = real\n",
	  "x.conf:1: not names of programs: [perl,python3*]\n" },
	{ "[make]\n[perl\nfork = real\n", "x.conf:2: not names" },
	{ "[\nfork = real\n", "x.conf:1: not names of programs" },
	{ "\xef\xbb\xbf[perl]\r\nfork = lazy\r\n", "" },
	{ "\n\xef\xbb\xbf[perl]\n", "x.conf:2: neither [NAME,...] nor" },
	{ "[]\n", "x.conf:1: not names of programs: [perl,python3*]\n" },
	{ "[/bin/sh]\n", "x.conf:1: not names of programs: [perl,python3*]\n" },
	{ "log = stderr\n",
	  "x.conf:1: log: 'stderr' is not an absolute path\n" },
	{ "log = a\033b\n", "x.conf:1: log: 'a?b' is not an absolute path\n" },
	{ "log =\n",
	  "x.conf:1: log: '' is not a path: it is empty, or too long\n" },
	{ "=\n", "x.conf:1: '' is not one of flatfork, " },
	{ "[make]\nnonsense\n", "" }, /* of another program */
	{ "fork = lazy", "" },	      /* no newline at the end */
	{ "", "" },
	{ "fork@perl = real\n", "x.conf:1: not a place: fork@perl+0x17d6ee" },
	{ "fork@+main = real\n", "x.conf:1: not a place" },
	{ "fork@perl+ = real\n", "x.conf:1: not a place" },
	{ "fork@perl+0x = real\n", "x.conf:1: not a place" },
	{ "fork@perl+0x12g = real\n", "x.conf:1: not a place" },
	{ "fork@perl+0x12345678901234567 = real\n", "x.conf:1: not a place" },
	{ "fork@perl+0x12 = never\n", "x.conf:1: fork: 'never' is not one" },
	{ "fork@perl+0x12 = real\n", "" },
	{ "spawn@perl+0x12 = libc\n", "" },
	{ "vfork@perl+0x12 = real\n",
	  "x.conf:1: vfork: 'real' is not one of auto|libc" },
	{ "lend@perl+0x12 = guarded\n", "" },
	{ "inherit@perl+0x12 = off\n",
	  "x.conf:1: of a place are fork, lend, spawn and vfork; all else is "
	  "of programs: [perl]\n" },
	{ "inherit = off\n", "" },
	{ "inherit = no\n", "x.conf:1: inherit: 'no' is not one of off|on" },
	{ "@perl+0x12 = off\n", "x.conf:1: of a place are fork, lend" },
};

START_TEST(a_mistake_is_one_line_and_nothing_else_is_lost)
{
	const char *want = mistakes[_i].complaint;
	struct ff_config config;
	char text[256];

	snprintf(text, sizeof(text), "%s%s", mistakes[_i].text,
		 "\n[*]\nbudget-ms = 7\n");
	config = parse(program, 0, text);
	ck_assert_msg(!strncmp(complaints, want, strlen(want)) &&
			      !*complaints == !*want,
		      "%s", complaints);
	ck_assert_int_eq(config.options.fork_mode,
			 strstr(mistakes[_i].text, "fork = lazy") ?
				 FF_FORK_LAZY :
				 FF_FORK_AUTO);
	ck_assert_ptr_null(config.options.log);
	ck_assert_uint_eq(config.options.budget_ms, 7);
}
END_TEST

START_TEST(what_is_no_text_is_not_read)
{
	static const char *const texts[] = {
		"fork = lazy\0\nfork = real\n",
		"\0\n\nfork = real\n\n\n\n\n\n\n",
		"f\0o\0r\0k\0=\0r\0e\0a\0l\0\n\0"
	};
	char text[25];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct ff_config config = config_of(program);

		memcpy(text, texts[i], 20);
		ff_config_parse(&config, "x.conf", text, 20);
		ck_assert_str_eq(complaints, "x.conf: not a text, it has a "
					     "byte 0: not read\n");
		ck_assert_int_eq(config.options.fork_mode, FF_FORK_AUTO);
	}
}
END_TEST

START_TEST(who_looks_for_mistakes_sees_all_sections)
{
	parse(NULL, 0, "[make]\nmin-rss = x\n[perl]\nbudget-ms = y\n");
	ck_assert_ptr_nonnull(strstr(complaints, "x.conf:2: min-rss"));
	ck_assert_ptr_nonnull(strstr(complaints, "x.conf:4: budget-ms"));
}
END_TEST

/* Bytes of any kind do no harm: nothing but complaints, and no crash. */
START_TEST(any_bytes_are_survived)
{
	static const char some[] = "[]=#\n\n \r\tfork\0lazy/*,9M";
	struct ff_config config = config_of(program);
	char text[257];

	config.complain = NULL;
	srand(20261126);
	for (int round = 0; round < 50000; round++) {
		size_t n = (size_t)rand() % 256;

		for (size_t i = 0; i < n; i++)
			text[i] = rand() % 8 ?
					  some[(size_t)rand() % sizeof(some)] :
					  (char)rand();
		text[n] = 'x'; /* not a NUL: there need be none */
		ff_config_parse(&config, "x", text, n);
	}
}
END_TEST

static const char *write_file(mode_t mode, size_t padding)
{
	const char *path = unit_path();
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	fputs("fork = lazy", out);
	while (padding--)
		fputc('\n', out);
	fclose(out);
	chmod(path, mode);
	return path;
}

/* Is it read, and what is complained about? */
static bool reads(const char *path, bool optional)
{
	struct ff_config config = config_of(program);
	size_t n = 0;
	char *text = ff_config_map(&config, path, optional, &n);

	if (!text)
		return false;
	ff_config_parse(&config, path, text, n);
	ff_config_unmap(text);
	return config.options.fork_mode == FF_FORK_LAZY;
}

static void assert_refused(const char *path, const char *why)
{
	ck_assert(!reads(path, true));
	ck_assert_msg(strstr(complaints, why) != NULL, "%s", complaints);
	unlink(path);
}

START_TEST(a_file_that_others_may_write_is_not_read)
{
	const char *path = write_file(0644, 0);

	ck_assert(reads(path, false));
	ck_assert_str_eq(complaints, "");
	chmod(path, 0664);
	ck_assert(!reads(path, true));
	assert_refused(path, "others may write it: not read");
	assert_refused(write_file(0646, 0), "others may write it: not read");
}
END_TEST

START_TEST(only_files_of_a_size_are_read)
{
	const char *path = unit_path();

	ck_assert(reads(write_file(0600, FF_CONFIG_MAX - 12), false));
	unlink(path);
	assert_refused(write_file(0600, FF_CONFIG_MAX), "more than 64 KiB");
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	assert_refused(path, "not a file: not read"); /* and not waited for */
	ck_assert_int_eq(mkdir(path, 0700), 0);
	assert_refused(path, "not a file: not read");
	rmdir(path);
	ck_assert(!reads("/dev/null", false));
	ck_assert_str_eq(complaints, "");
}
END_TEST

START_TEST(a_file_that_is_not_there_is_a_mistake_if_it_was_named)
{
	ck_assert(!reads("/nonexistent/x", true));
	ck_assert_str_eq(complaints, "");
	ck_assert(!reads("/nonexistent/x", false));
	ck_assert_str_eq(complaints, "/nonexistent/x: there is no such file\n");
}
END_TEST

START_TEST(another_users_file_is_not_read)
{
	const char *path = write_file(0644, 0);

	if (getuid() || chown(path, 65534, 65534)) {
		unlink(path);
		return;
	}
	assert_refused(path, "another user's: not read");
	path = write_file(0644, 0);
	ck_assert_int_eq(seteuid(65534), 0);
	ck_assert(reads(path, false)); /* root's is everybody's */
	ck_assert_int_eq(seteuid(0), 0);
	unlink(path);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, sections_are_for_programs);
	tcase_add_test(tests, places_are_taken_in_their_order);
	tcase_add_test(tests, the_environment_goes_before_a_file);
	tcase_add_test(tests, every_option_but_those_of_the_start_has_a_key);
	tcase_add_loop_test(tests,
			    a_mistake_is_one_line_and_nothing_else_is_lost, 0,
			    sizeof(mistakes) / sizeof(*mistakes));
	tcase_add_test(tests, what_is_no_text_is_not_read);
	tcase_add_test(tests, who_looks_for_mistakes_sees_all_sections);
	tcase_add_test(tests, any_bytes_are_survived);
	tcase_add_test(tests, a_file_that_others_may_write_is_not_read);
	tcase_add_test(tests, only_files_of_a_size_are_read);
	tcase_add_test(tests,
		       a_file_that_is_not_there_is_a_mistake_if_it_was_named);
	tcase_add_test(tests, another_users_file_is_not_read);
}
