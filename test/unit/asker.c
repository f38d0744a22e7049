/* The time in which who asks looked: a clock of its own goes as told. */
#include "process/asker.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

const char unit_subject[] = "asker";

#define SECOND ((int64_t)1000 * 1000 * 1000)

static int64_t now_ns = 5000 * SECOND;

/* In place of libc's. */
int clock_gettime(clockid_t clock, struct timespec *ret)
{
	if (clock != CLOCK_MONOTONIC_COARSE)
		return (int)syscall(SYS_clock_gettime, clock, ret);
	*ret = (struct timespec){ now_ns / SECOND, now_ns % SECOND };
	return 0;
}

/* What is counted of a look that comes @ns after the last one. */
static int64_t counted(int64_t from, int64_t ns)
{
	now_ns += ns;
	return ff_asker_watched_ns() - from;
}

START_TEST(each_short_look_counts)
{
	const int64_t from = ff_asker_watch();

	ck_assert_int_eq(counted(from, SECOND / 100), SECOND / 100);
	ck_assert_int_eq(counted(from, SECOND / 100), SECOND / 50);
}
END_TEST

START_TEST(a_stop_does_not_count)
{
	const int64_t from = ff_asker_watch();

	ck_assert_int_lt(counted(from, 3600 * SECOND),
			 SECOND * FF_ASK_SILENT_MS / 1000);
}
END_TEST

/* As where a supervisor answers each call of who waits 5 s late: H-Y1. */
START_TEST(late_calls_count)
{
	const int64_t from = ff_asker_watch();

	counted(from, 5 * SECOND);
	ck_assert_int_gt(counted(from, 5 * SECOND),
			 SECOND * FF_ASK_SILENT_MS / 1000);
	ck_assert_int_gt(counted(from, 5 * SECOND), 10 * SECOND);
}
END_TEST

START_TEST(time_between_two_is_no_look)
{
	int64_t from;

	ff_asker_watch();
	now_ns += 100 * SECOND;
	from = ff_asker_watch();
	ck_assert_int_eq(counted(from, SECOND / 100), SECOND / 100);
	ck_assert_int_lt(counted(from, 5 * SECOND), 2 * SECOND);
	from = ff_asker_watch();
	ck_assert_int_eq(counted(from, 5 * SECOND), 5 * SECOND);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, each_short_look_counts);
	tcase_add_test(tests, a_stop_does_not_count);
	tcase_add_test(tests, late_calls_count);
	tcase_add_test(tests, time_between_two_is_no_look);
}
