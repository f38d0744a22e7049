/* What forks of a process with many mappings cost, and what that decides. */
#include "ways/cost.h"

#include <sys/mman.h>

#include "host/maps.h"
#include "unit.h"

const char unit_subject[] = "cost";

#define MAPPINGS 2048
#define PAGE ((size_t)4096)
#define GB ((uint64_t)1 << 30)
#define MS ((int64_t)1000000)

static void read_all(void)
{
	struct ff_mapping m;
	struct ff_maps maps;

	ck_assert_int_eq(ff_maps_open_whole(&maps), 0);
	while (ff_maps_next(&maps, &m) > 0)
		;
	ff_maps_close(&maps);
}

static void begin(void)
{
	char *p = mmap(NULL, MAPPINGS * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	for (size_t i = 0; i < MAPPINGS; i += 2)
		ck_assert(!mprotect(p + i * PAGE, PAGE, PROT_READ));
	read_all();
	ck_assert(ff_maps_are_many());
}

static void learn(int64_t extra_ns, int64_t clone_ns, int64_t real_ns)
{
	for (int i = 0; i < 3; i++) {
		ck_assert(!ff_cost_is_asked());
		ck_assert_ptr_null(ff_cost_why_real(GB));
		ff_cost_of_lazy(extra_ns, clone_ns);
	}
	ck_assert(ff_cost_is_asked());
	ck_assert_str_eq(ff_cost_why_real(GB), FF_COST_MEASURED);
	ff_cost_of_real(real_ns);
}

START_TEST(a_process_with_few_mappings_is_not_looked_at)
{
	read_all();
	ck_assert(!ff_maps_are_many());
	for (int i = 0; i < 9; i++)
		ff_cost_of_lazy(100 * MS, MS);
	ck_assert(!ff_cost_is_asked());
	ck_assert_ptr_null(ff_cost_why_real(GB));
}
END_TEST

START_TEST(a_list_that_takes_no_time_is_no_reason)
{
	begin();
	for (int i = 0; i < 9; i++)
		ff_cost_of_lazy(MS / 10, MS);
	ck_assert_ptr_null(ff_cost_why_real(GB));
}
END_TEST

START_TEST(forks_stay_lazy_where_that_saves_more_than_it_takes)
{
	begin();
	learn(4 * MS, 10 * MS, 20 * MS);
	for (int i = 0; i < 200; i++)
		ck_assert_ptr_null(ff_cost_why_real(GB));
	/* half the memory is half the gain, and a tenth is none */
	ck_assert_ptr_null(ff_cost_why_real(GB / 2));
	ck_assert_str_eq(ff_cost_why_real(GB / 10), FF_COST_MAPPINGS);
}
END_TEST

START_TEST(others_are_real_and_looked_at_now_and_then)
{
	int lazy = 0;

	begin();
	learn(20 * MS, 10 * MS, 14 * MS);
	for (int i = 0; i < 640; i++) {
		if (ff_cost_why_real(GB)) {
			ff_cost_of_real(14 * MS);
			continue;
		}
		ff_cost_of_lazy(20 * MS, 10 * MS);
		lazy++;
	}
	ck_assert_int_eq(lazy, 10);
	/* it grows */
	ck_assert_ptr_null(ff_cost_why_real(4 * GB));
}
END_TEST

START_TEST(a_time_that_was_long_once_is_forgotten)
{
	begin();
	learn(4 * MS, 10 * MS, 400 * MS);
	ck_assert_ptr_null(ff_cost_why_real(GB));
	ff_cost_of_real(11 * MS);
	ck_assert_str_eq(ff_cost_why_real(GB), FF_COST_MAPPINGS);
	ff_cost_of_lazy(MS, 10 * MS);
	ck_assert_ptr_null(ff_cost_why_real(GB));
}
END_TEST

START_TEST(a_process_that_may_not_be_copied_is_not_asked_to_be)
{
	const char *why;

	begin();
	learn(20 * MS, 10 * MS, 12 * MS);
	ck_assert_ptr_null(ff_cost_why_real(8 * GB));
	why = ff_cost_why_real(GB);
	ck_assert_ptr_nonnull(why);
	ck_assert(!ff_cost_gives_up(NULL));
	ck_assert(!ff_cost_gives_up("small process"));
	ck_assert_str_eq(ff_cost_why_real(GB), FF_COST_MAPPINGS);
	ck_assert(ff_cost_gives_up(why));
	for (int i = 0; i < 100; i++)
		ck_assert_ptr_null(ff_cost_why_real(GB));
}
END_TEST

/* The text and the questions tell the same, whichever is asked. */
START_TEST(many_are_read_as_few_are)
{
	struct ff_mapping by_text, by_query;
	struct ff_maps text, query;
	int rc;

	begin();
	ck_assert_int_eq(ff_maps_open_whole(&text), 0);
	ck_assert(text.text);
	ck_assert_int_eq(ff_maps_open(&query), 0);
	text.writable = query.writable = true;
	while ((rc = ff_maps_next(&query, &by_query)) > 0) {
		ck_assert_int_eq(ff_maps_next(&text, &by_text), 1);
		ck_assert_uint_eq(by_text.start, by_query.start);
		ck_assert_uint_eq(by_text.end, by_query.end);
		ck_assert_uint_eq(by_text.prot, by_query.prot);
	}
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(ff_maps_next(&text, &by_text), 0);
	ff_maps_close(&text);
	ff_maps_close(&query);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, a_process_with_few_mappings_is_not_looked_at);
	tcase_add_test(tests, a_list_that_takes_no_time_is_no_reason);
	tcase_add_test(tests,
		       forks_stay_lazy_where_that_saves_more_than_it_takes);
	tcase_add_test(tests, others_are_real_and_looked_at_now_and_then);
	tcase_add_test(tests, a_time_that_was_long_once_is_forgotten);
	tcase_add_test(tests,
		       a_process_that_may_not_be_copied_is_not_asked_to_be);
	tcase_add_test(tests, many_are_read_as_few_are);
}
