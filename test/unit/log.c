/* A line of the log: how it reads, and that writing it leaves no trace. */
#include "tell/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tell/options.h"
#include "unit.h"

const char unit_subject[] = "log";

static char line[FF_LOG_LINE_MAX + 1];

static size_t format(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

static size_t format(const char *fmt, ...)
{
	va_list args;
	size_t n;

	va_start(args, fmt);
	n = ff_log_format(line, 42, fmt, args);
	va_end(args);
	line[n] = '\0';
	return n;
}

/* What printf makes of the same is the oracle. */
#define ASSERT_AS_PRINTF(fmt, ...)                                      \
	do {                                                            \
		char want[FF_LOG_LINE_MAX];                             \
		snprintf(want, sizeof(want), "flatfork[42]: " fmt "\n", \
			 __VA_ARGS__);                                  \
		format(fmt, __VA_ARGS__);                               \
		ck_assert_str_eq(line, want);                           \
	} while (0)

START_TEST(conversions_read_as_printf_has_them)
{
	void *p = &line;

	ASSERT_AS_PRINTF("%s|%s", "", "word");
	ASSERT_AS_PRINTF("%d %d %d %d", 0, -1, INT_MIN, INT_MAX);
	ASSERT_AS_PRINTF("%u %u", 0U, UINT_MAX);
	ASSERT_AS_PRINTF("%ld %ld", LONG_MIN, LONG_MAX);
	ASSERT_AS_PRINTF("%lu %lx %x", ULONG_MAX, ULONG_MAX, 0xbeefU);
	ASSERT_AS_PRINTF("%p", p);
	ASSERT_AS_PRINTF("%c%c%%%s", 'a', 'b', "c");
	ASSERT_AS_PRINTF("%d%%", 100);
}
END_TEST

START_TEST(a_null_string_is_no_crash)
{
	const char *volatile none = NULL;

	format("%s.", none);
	ck_assert_str_eq(line, "flatfork[42]: (null).\n");
}
END_TEST

START_TEST(a_string_with_newlines_stays_in_its_line)
{
	format("%s end", "a\nb\rc\033d\177");
	ck_assert_str_eq(line, "flatfork[42]: a?b?c?d? end\n");
}
END_TEST

START_TEST(a_long_line_is_cut_and_still_a_line)
{
	static char text[2 * FF_LOG_LINE_MAX];
	size_t n;

	memset(text, 'x', sizeof(text) - 1);
	n = format("%s tail %d", text, 5);
	ck_assert_uint_eq(n, FF_LOG_LINE_MAX);
	ck_assert_int_eq(line[n - 1], '\n');
	ck_assert_int_eq(line[n - 2], 'x');
}
END_TEST

/* The compiler would complain about it, so it is no literal. */
START_TEST(an_unknown_conversion_ends_the_formatting)
{
	const char *volatile fmt = "a %d %g %s";

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	format(fmt, 1, 2.0, "never read");
#pragma GCC diagnostic pop
	ck_assert_str_eq(line, "flatfork[42]: a 1 %g %s\n");
}
END_TEST

static int lowest_free_descriptor(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

START_TEST(lines_are_appended_to_the_file_and_nothing_stays_open)
{
	const char *path = unit_path();
	char text[1024], want[128];
	int before = lowest_free_descriptor();

	ff_options.on = true;
	ff_options.log = path;
	ck_assert(ff_log_wanted());
	errno = 1234;
	ff_log("one %d", 1);
	ff_log("two");
	ck_assert_int_eq(errno, 1234);
	ck_assert_int_gt(unit_read_file(path, text, sizeof(text)), 0);
	unlink(path);
	snprintf(want, sizeof(want), "flatfork[%d]: one 1\nflatfork[%d]: two\n",
		 (int)getpid(), (int)getpid());
	ck_assert_str_eq(text, want);
	ck_assert_int_eq(lowest_free_descriptor(), before);
}
END_TEST

START_TEST(without_the_option_nothing_is_written)
{
	ff_options.on = true;
	ff_options.log = NULL;
	ck_assert(!ff_log_wanted());
	close(2);
	ff_log("into the void");
	ff_options.on = false;
	ff_options.log = unit_path();
	ck_assert(!ff_log_wanted());
	ff_log("into the void");
	ck_assert_int_ne(access(ff_options.log, F_OK), 0);
}
END_TEST

START_TEST(the_file_is_written_with_standard_error_closed)
{
	const char *path = unit_path();
	char text[256];

	ff_options.on = true;
	ff_options.log = path;
	close(2);
	ff_log("still here");
	ck_assert_int_eq(fcntl(2, F_GETFD), -1);
	ck_assert_int_gt(unit_read_file(path, text, sizeof(text)), 0);
	unlink(path);
	ck_assert_ptr_nonnull(strstr(text, "still here\n"));
}
END_TEST

START_TEST(a_closed_standard_error_is_no_harm)
{
	close(2);
	ck_assert_int_eq(ff_log_append("stderr", "x\n", 2), -EBADF);
}
END_TEST

static volatile sig_atomic_t caught;

static void catch (int sig)
{
	caught = sig;
}

static void assert_unchanged_mask(const sigset_t *before)
{
	sigset_t now;

	sigprocmask(SIG_SETMASK, NULL, &now);
	ck_assert_int_eq(sigismember(&now, SIGPIPE),
			 sigismember(before, SIGPIPE));
	ck_assert_int_eq(sigismember(&now, SIGXFSZ),
			 sigismember(before, SIGXFSZ));
}

static void make_stderr(int fd)
{
	ck_assert_int_eq(dup2(fd, 2), 2);
	ff_log_note_stderr();
}

START_TEST(standard_error_that_nobody_noted_is_not_written)
{
	ck_assert_int_eq(ff_log_append("stderr", "x\n", 2), -EBADF);
}
END_TEST

/* A file without a name. */
static int temporary(void)
{
	int fd = open("/tmp", O_TMPFILE | O_WRONLY | O_APPEND, 0600);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static off_t size_of(int fd)
{
	return lseek(fd, 0, SEEK_END);
}

/* H-G1 */
START_TEST(another_file_is_not_standard_error)
{
	int noted = temporary(), other = temporary(), pipes[2];

	make_stderr(noted);
	ck_assert_int_eq(ff_log_append("stderr", "x\n", 2), 0);
	ck_assert_int_eq(size_of(noted), 2);
	dup2(other, 2);
	ck_assert_int_eq(ff_log_append("stderr", "x\n", 2), -EBADF);
	ck_assert_int_eq(size_of(other), 0);
	ck_assert_int_eq(pipe(pipes), 0);
	dup2(pipes[1], 2);
	ck_assert_int_eq(ff_log_append("stderr", "x\n", 2), -EBADF);
	close(2);
	ck_assert_int_eq(ff_log_append("stderr", "x\n", 2), -EBADF);
	dup2(noted, 2);
	ck_assert_int_eq(ff_log_append("stderr", "x\n", 2), 0);
	ck_assert_int_eq(size_of(noted), 4);
}
END_TEST

START_TEST(the_same_file_opened_otherwise_is_not_standard_error)
{
	char path[64];
	int noted = temporary(), readable;

	make_stderr(noted);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", noted);
	readable = open(path, O_RDONLY);
	ck_assert_int_ge(readable, 0);
	dup2(readable, 2);
	ck_assert_int_eq(ff_log_append("stderr", "x\n", 2), -EBADF);
}
END_TEST

/* H-G3: its reader may be this process. */
START_TEST(a_full_pipe_is_not_waited_for)
{
	char page[4096] = { 0 }, got;
	int fds[2], free_fd;

	ck_assert_int_eq(pipe(fds), 0);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	while (write(fds[1], page, sizeof(page)) > 0)
		;
	fcntl(fds[1], F_SETFL, 0);
	make_stderr(fds[1]);
	free_fd = lowest_free_descriptor();
	ck_assert_int_eq(ff_log_append("stderr", "x\n", 2), -EAGAIN);
	for (size_t i = 0; i < sizeof(page); i++)
		ck_assert_int_eq(read(fds[0], &got, 1), 1);
	ck_assert_int_eq(ff_log_append("stderr", "x\n", 2), 0);
	ck_assert_int_eq(lowest_free_descriptor(), free_fd);
}
END_TEST

/* H-G4 */
START_TEST(a_link_is_not_followed)
{
	const char *path = unit_path();
	char target[PATH_MAX];
	int r;

	snprintf(target, sizeof(target), "%s.target", path);
	ck_assert_int_eq(symlink(target, path), 0);
	r = ff_log_append(path, "x\n", 2);
	unlink(path);
	ck_assert_int_eq(r, -ELOOP);
	ck_assert_int_ne(access(target, F_OK), 0);
	ck_assert_int_eq(ff_log_append("/dev/stderr", "x\n", 2), -ELOOP);
	ck_assert_int_eq(ff_log_append("/proc/self/fd/2", "x\n", 2), -ELOOP);
}
END_TEST

START_TEST(a_full_disk_is_an_error_number)
{
	ck_assert_int_eq(ff_log_append("/dev/full", "x\n", 2), -ENOSPC);
}
END_TEST

START_TEST(a_pipe_nobody_reads_raises_no_signal)
{
	sigset_t mask;
	int fds[2];

	signal(SIGPIPE, catch);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	ck_assert_int_eq(pipe(fds), 0);
	close(fds[0]);
	make_stderr(fds[1]);
	ck_assert_int_eq(ff_log_append("stderr", "x\n", 2), -EPIPE);
	ck_assert_int_eq(caught, 0);
	assert_unchanged_mask(&mask);
}
END_TEST

START_TEST(the_programs_own_pending_signal_stays_pending)
{
	sigset_t set, pending;
	int fds[2];

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGPIPE);
	ck_assert_int_eq(pipe(fds), 0);
	close(fds[0]);
	make_stderr(fds[1]);
	ck_assert_int_eq(ff_log_append("stderr", "x\n", 2), -EPIPE);
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGPIPE), 1);
	assert_unchanged_mask(&set);
}
END_TEST

START_TEST(a_file_size_limit_raises_no_signal)
{
	const char *path = unit_path();
	struct rlimit old, none;
	int r, limited;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	/* No assertion meanwhile: the check library writes a file, too. */
	signal(SIGXFSZ, catch);
	limited = setrlimit(RLIMIT_FSIZE, &none);
	r = ff_log_append(path, "x\n", 2);
	setrlimit(RLIMIT_FSIZE, &old);
	unlink(path);
	ck_assert_int_eq(limited, 0);
	ck_assert_int_eq(r, -EFBIG);
	ck_assert_int_eq(caught, 0);
}
END_TEST

START_TEST(a_fifo_nobody_reads_does_not_block)
{
	const char *path = unit_path();
	int r;

	ck_assert_int_eq(mkfifo(path, 0600), 0);
	r = ff_log_append(path, "x\n", 2);
	unlink(path);
	ck_assert_int_eq(r, -ENXIO);
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_is_an_error_number)
{
	ck_assert_int_eq(ff_log_append("/nonexistent/log", "x\n", 2), -ENOENT);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, conversions_read_as_printf_has_them);
	tcase_add_test(tests, a_null_string_is_no_crash);
	tcase_add_test(tests, a_string_with_newlines_stays_in_its_line);
	tcase_add_test(tests, a_long_line_is_cut_and_still_a_line);
	tcase_add_test(tests, an_unknown_conversion_ends_the_formatting);
	tcase_add_test(tests,
		       lines_are_appended_to_the_file_and_nothing_stays_open);
	tcase_add_test(tests, without_the_option_nothing_is_written);
	tcase_add_test(tests, the_file_is_written_with_standard_error_closed);
	tcase_add_test(tests, a_closed_standard_error_is_no_harm);
	tcase_add_test(tests, standard_error_that_nobody_noted_is_not_written);
	tcase_add_test(tests, another_file_is_not_standard_error);
	tcase_add_test(tests,
		       the_same_file_opened_otherwise_is_not_standard_error);
	tcase_add_test(tests, a_full_pipe_is_not_waited_for);
	tcase_add_test(tests, a_link_is_not_followed);
	tcase_add_test(tests, a_full_disk_is_an_error_number);
	tcase_add_test(tests, a_pipe_nobody_reads_raises_no_signal);
	tcase_add_test(tests, the_programs_own_pending_signal_stays_pending);
	tcase_add_test(tests, a_file_size_limit_raises_no_signal);
	tcase_add_test(tests, a_fifo_nobody_reads_does_not_block);
	tcase_add_test(tests, a_file_that_cannot_be_opened_is_an_error_number);
}
