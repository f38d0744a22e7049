/* Why a fork is real in a process whose threads close what is ours. */
#include "ways/decide.h"

#include <string.h>
#include <unistd.h>

#include "host/held.h"
#include "tell/options.h"
#include "unit.h"

const char unit_subject[] = "decide";

#define OTHERS "another thread closes what it has not opened"

static bool is_shared(void)
{
	return true;
}

static void close_ours(void)
{
	struct ff_held file;

	ff_table_may_be_shared = is_shared;
	ck_assert_int_eq(ff_hold(&file, "/proc/self/status"), 0);
	ck_assert_int_eq(close(file.fd), 0);
	ck_assert_int_lt(ff_release(&file), 0);
}

static const char *why_real(uint64_t deny_bytes)
{
	enum ff_way way;
	const char *why;

	ff_options.on = true;
	ff_options.fork_mode = FF_FORK_AUTO;
	ff_options.min_rss_bytes = UINT64_MAX; /* all are small */
	ff_options.deny_bytes = deny_bytes;
	why = ff_why_real(NULL, &way);
	return why ? why : "";
}

/* Small or not: to know it a file would have to be opened. */
START_TEST(others_are_asked_for_before_the_size)
{
	ck_assert_str_ne(why_real(FF_DENY_NEVER), OTHERS);
	close_ours();
	ck_assert_str_eq(why_real(FF_DENY_NEVER), OTHERS);
}
END_TEST

/* A copy that is denied is no way out: forks would fail for good. */
START_TEST(a_fork_that_may_not_copy_is_tried)
{
	close_ours();
	ck_assert_str_ne(why_real(1), OTHERS);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, others_are_asked_for_before_the_size);
	tcase_add_test(tests, a_fork_that_may_not_copy_is_tried);
}
