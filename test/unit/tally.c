/* What is counted of each place: that it adds up, starts anew in a copy, and
 * survives whatever is written to it. */
#include "site/tally.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "site/tally_line.h"
#include "tell/options.h"
#include "unit.h"

const char unit_subject[] = "tally";

static const char here, there;
static const struct ff_tally_call call = { &here, "fork" };
static const struct ff_tally_call other = { &there, "vfork" };

static struct ff_tally_call place(unsigned i)
{
	return (struct ff_tally_call){ (char *)0x1000 + 16 * i, "fork" };
}

/* Its row; what was there is taken. */
static bool take(const struct ff_tally_call *wanted, struct ff_tally *ret)
{
	for (unsigned i = 0; i < FF_TALLY_ROWS; i++)
		if (ff_tally_take(i, ret) && ret->key == (uintptr_t)wanted->at)
			return true;
	return false;
}

START_TEST(a_bucket_holds_what_is_within_a_quarter)
{
	unsigned last = 0;

	for (uint64_t ns = 1; ns < (uint64_t)1 << 36;
	     ns += 1 + ns / 50) {
		const unsigned bucket = ff_tally_bucket(ns);
		const uint64_t middle = ff_tally_ns(bucket);

		ck_assert_uint_lt(bucket, FF_TALLY_BUCKETS);
		ck_assert_uint_ge(bucket, last);
		last = bucket;
		if (ns < 1 << FF_TALLY_FIRST ||
		    bucket == FF_TALLY_BUCKETS - 1)
			continue;
		ck_assert_uint_le(middle, ns + ns / 4);
		ck_assert_uint_ge(middle, ns - ns / 4);
		ck_assert_uint_eq(ff_tally_bucket(middle), bucket);
	}
	ck_assert_uint_eq(last, FF_TALLY_BUCKETS - 1);
	ck_assert_uint_eq(ff_tally_bucket(UINT64_MAX), FF_TALLY_BUCKETS - 1);
}
END_TEST

START_TEST(each_place_has_its_own_numbers)
{
	struct ff_tally t;

	ff_tally_made(&call, FF_TALLY_lazy, 5000);
	ff_tally_made(&call, FF_TALLY_lazy, 5000);
	ff_tally_made(&call, FF_TALLY_real, 9000);
	ff_tally_add(&call, FF_TALLY_absent, 1 << 20);
	ff_tally_made(&other, FF_TALLY_vforked, 0);
	ck_assert(take(&call, &t));
	ck_assert_uint_eq(t.way[FF_TALLY_lazy], 2);
	ck_assert_uint_eq(t.way[FF_TALLY_real], 1);
	ck_assert_uint_eq(t.way[FF_TALLY_vforked], 0);
	ck_assert_uint_eq(t.sum[FF_TALLY_absent], 1 << 20);
	ck_assert_uint_eq(t.time[FF_TALLY_FLAT][ff_tally_bucket(5000)], 2);
	ck_assert_uint_eq(t.time[FF_TALLY_COPIES][ff_tally_bucket(9000)], 1);
	ck_assert_str_eq(ff_tally_text(t.name), "fork");
	ck_assert(!take(&call, &t));
}
END_TEST

START_TEST(reasons_are_counted_and_the_last_takes_the_rest)
{
	static const char *const reasons[] = { "a", "b", "c", "d", "e",
					       "f", "g", "h", "i" };
	char not_ours[] = "made up";
	struct ff_tally t;
	unsigned sum = 0;

	for (unsigned i = 0; i < 9; i++)
		for (unsigned n = 0; n <= i; n++)
			ff_tally_why(&call, FF_TALLY_real, reasons[i]);
	ff_tally_why(&call, FF_TALLY_rolled_back, "a");
	ff_tally_why(&call, FF_TALLY_real, not_ours);
	ck_assert(take(&call, &t));
	for (unsigned i = 0; i < FF_TALLY_WHYS - 1; i++) {
		ck_assert_str_eq(ff_tally_text(t.why[i].word), reasons[i]);
		ck_assert_uint_eq(t.why[i].word >> 24, FF_TALLY_real);
		ck_assert_uint_eq(t.why[i].count, i + 1);
	}
	ck_assert_ptr_null(ff_tally_text(t.why[FF_TALLY_WHYS - 1].word));
	for (unsigned i = 0; i < FF_TALLY_WHYS; i++)
		sum += t.why[i].count;
	ck_assert_uint_eq(sum, 45 + 2);
}
END_TEST

START_TEST(a_copy_begins_with_nothing)
{
	struct ff_tally t;

	for (unsigned i = 0; i < 3 * FF_TALLY_ROWS; i++) {
		const struct ff_tally_call c = place(i);

		ff_tally_made(&c, FF_TALLY_real, 1);
	}
	ff_tally_new_process();
	for (unsigned i = 0; i < FF_TALLY_ROWS; i++)
		ck_assert(!ff_tally_take(i, &t));
	/* Its rows are free again, all of them. */
	for (unsigned i = 0; i < FF_TALLY_ROWS; i++) {
		const struct ff_tally_call c = place(1000 + i);

		ff_tally_made(&c, FF_TALLY_real, 1);
	}
	for (unsigned i = 0; i < FF_TALLY_ROWS; i++) {
		ck_assert(ff_tally_take(i, &t));
		ck_assert_uint_eq(t.way[FF_TALLY_real], 1);
	}
}
END_TEST

START_TEST(what_could_not_be_told_is_told_later)
{
	struct ff_tally t, again;

	ff_tally_made(&call, FF_TALLY_lent, 5000);
	ff_tally_why(&call, FF_TALLY_real, "small process");
	ff_tally_add(&call, FF_TALLY_fetched, 7);
	for (unsigned i = 0; i < FF_TALLY_ROWS; i++)
		if (ff_tally_take(i, &t))
			ff_tally_give_back(i, &t);
	ck_assert(take(&call, &again));
	ck_assert_uint_eq(again.way[FF_TALLY_lent], 1);
	ck_assert_uint_eq(again.why[0].count, 1);
	ck_assert_uint_eq(again.sum[FF_TALLY_fetched], 7);
	ck_assert_uint_eq(again.time[FF_TALLY_FLAT][ff_tally_bucket(5000)], 1);
}
END_TEST

#define THREADS 4
#define EACH 20000

static void *count(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < EACH; i++) {
		ff_tally_made(&call, FF_TALLY_spawned, 5000);
		ff_tally_why(&call, FF_TALLY_libc, i % 2 ? "x" : "y");
	}
	return NULL;
}

START_TEST(threads_count_together)
{
	pthread_t thread[THREADS];
	struct ff_tally t;

	ff_tally_made(&call, FF_TALLY_spawned, 0);
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, count, NULL),
				 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	ck_assert(take(&call, &t));
	ck_assert_uint_eq(t.way[FF_TALLY_spawned], THREADS * EACH + 1);
	ck_assert_uint_eq(t.why[0].count + t.why[1].count, THREADS * EACH);
	ck_assert_uint_eq(t.time[FF_TALLY_FLAT][ff_tally_bucket(5000)],
			  THREADS * EACH);
}
END_TEST

/* What was written to @path, which is taken away. */
static const char *written_to(const char *path)
{
	static char text[8192];

	if (unit_read_file(path, text, sizeof(text)) < 0)
		return "";
	unlink(path);
	return text;
}

START_TEST(a_line_tells_of_a_place)
{
	char want[300];
	const char *path = unit_path(), *text, *at;

	ff_options.on = true;
	ff_options.stats = path;
	ff_tally_made(&call, FF_TALLY_lazy, 4096 + 100);
	ff_tally_made(&call, FF_TALLY_real, 0);
	ff_tally_why(&call, FF_TALLY_real, "it \"is\" so");
	ff_tally_write();
	text = written_to(path);
	snprintf(want, sizeof(want), "{\"pid\":%d,\"comm\":\"", (int)getpid());
	ck_assert_int_eq(strncmp(text, want, strlen(want)), 0);
	at = strstr(text, "\"call\":\"fork\",");
	ck_assert_ptr_nonnull(at);
	ck_assert_str_eq(
		at, "\"call\":\"fork\",\"lazy\":1,\"committed\":0,"
		    "\"let_go\":0,\"lent\":0,\"vforked\":0,\"became\":0,"
		    "\"spawned\":0,\"real\":1,\"rolled_back\":0,\"libc\":0,"
		    "\"denied\":0,\"failed\":0,\"faults\":0,\"fetched\":0,"
		    "\"absent\":0,"
		    "\"why\":[[\"real\",\"it \\\"is\\\" so\",1]],"
		    "\"flat_ns\":[[4608,1]],\"copies_ns\":[]}\n");
	ff_tally_write();
	ck_assert_str_eq(written_to(path), "");
}
END_TEST

START_TEST(a_line_with_all_numbers_is_still_one)
{
	const char *path = unit_path(), *text;

	ff_options.on = true;
	ff_options.stats = path;
	for (uint64_t ns = 1; ns < (uint64_t)1 << 40;
	     ns += ns / 8 + 1) {
		ff_tally_made(&call, FF_TALLY_lazy, ns);
		ff_tally_made(&call, FF_TALLY_real, ns);
	}
	ff_tally_write();
	text = written_to(path);
	ck_assert_uint_gt(strlen(text), 2000);
	ck_assert_uint_le(strlen(text), 4096);
	ck_assert_str_eq(text + strlen(text) - 3, "]}\n");
}
END_TEST

/* A program may write anywhere. */
START_TEST(whatever_stands_in_a_row_is_a_number)
{
	const char *path = unit_path();

	ff_options.on = true;
	ff_options.stats = path;
	ff_tally_made(&call, FF_TALLY_lazy, 5000);
	for (unsigned i = 0; i < FF_TALLY_ROWS; i++) {
		struct ff_tally *t =
			(struct ff_tally *)(uintptr_t)&ff_tallies.rows[i].tally;

		if (t->key == (uintptr_t)&here)
			memset((char *)t + sizeof(t->key), 0xff,
			       sizeof(*t) - sizeof(t->key));
	}
	ff_tally_made(&call, FF_TALLY_lazy, 5000);
	ff_tally_why(&call, FF_TALLY_real, "x");
	ff_tally_write();
	ck_assert_ptr_nonnull(strstr(written_to(path), "other reasons"));
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, a_bucket_holds_what_is_within_a_quarter);
	tcase_add_test(tests, each_place_has_its_own_numbers);
	tcase_add_test(tests, reasons_are_counted_and_the_last_takes_the_rest);
	tcase_add_test(tests, a_copy_begins_with_nothing);
	tcase_add_test(tests, what_could_not_be_told_is_told_later);
	tcase_add_test(tests, threads_count_together);
	tcase_add_test(tests, a_line_tells_of_a_place);
	tcase_add_test(tests, a_line_with_all_numbers_is_still_one);
	tcase_add_test(tests, whatever_stands_in_a_row_is_a_number);
}
