/* The predictor of call sites, step by step. */
#include "site/site.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/page.h"
#include "site/reason.h"
#include "unit.h"

const char unit_subject[] = "site";

#define SITES 64
#define PATIENCE 16U
#define PATIENCE_BUDGET 512U
#define PATIENCE_MAX 8192U

#define AFRESH 1024

static const struct ff_warm nothing;

static struct ff_site *site_at(uintptr_t address)
{
	struct ff_site *s = ff_site_of((const void *)address);

	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(s->address, address);
	return s;
}

/* How many real forks until the next trial; at most @most + 1. */
static unsigned real_forks(struct ff_site *s, unsigned most)
{
	unsigned n = 0;

	while (n <= most && ff_site_predict(s) == FF_WAY_REAL)
		n++;
	return n;
}

/* A child that was forked for real; it execs or not. */
static void made_real(struct ff_site *s, bool execs)
{
	int status;
	pid_t pid;

	ff_site_real(s);
	ff_sites_listen();
	pid = fork();
	if (pid == 0) {
		ff_sites_new_process();
		ff_site_born_real(s);
		if (execs)
			ff_site_child_execs();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

/* One that was taken back, and forked for real instead. */
static void back(struct ff_site *s, enum ff_reason reason, bool execs)
{
	ff_site_back(s, reason);
	made_real(s, execs);
}

START_TEST(a_site_is_found_again_by_its_address)
{
	struct ff_site *s = site_at(0x401000);

	ff_site_exec(s, &nothing);
	ck_assert_ptr_ne(site_at(0x401001), s);
	ck_assert_ptr_eq(site_at(0x401000), s);
}
END_TEST

/* Where no more can be remembered, forks are tried and nothing is written. */
START_TEST(a_full_table_knows_those_it_has_and_tries_the_others)
{
	struct ff_site *s[SITES];

	for (uintptr_t i = 0; i < SITES; i++) {
		s[i] = site_at(0x7f0000000000 + i * 4096);
		for (uintptr_t j = 0; j < i; j++)
			ck_assert_ptr_ne(s[i], s[j]);
	}
	for (uintptr_t i = 0; i < 100; i++)
		ck_assert_ptr_null(ff_site_of((const void *)(0x1234 + i)));
	for (uintptr_t i = 0; i < SITES; i++)
		ck_assert_ptr_eq(site_at(0x7f0000000000 + i * 4096), s[i]);
	ff_site_exec(NULL, &nothing);
	ff_site_back(NULL, FF_REASON_CALL);
	ff_site_committed_strayed(NULL, FF_REASON_EXIT);
	ff_site_real(NULL);
	ff_site_born_real(NULL);
	ff_site_child_execs();
	ck_assert_int_eq(ff_site_predict(NULL), FF_WAY_TRIAL);
}
END_TEST

START_TEST(a_new_site_is_tried)
{
	struct ff_site *s = site_at(1);

	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(ff_site_predict(s), FF_WAY_TRIAL);
}
END_TEST

START_TEST(a_site_whose_first_child_went_back_forks_for_real)
{
	struct ff_site *s = site_at(1);

	ff_site_back(s, FF_REASON_CALL);
	ck_assert_uint_eq(real_forks(s, 100), PATIENCE);
	/* The retry has no verdict yet: another fork meanwhile is real. */
	ck_assert_uint_eq(real_forks(s, 100), PATIENCE);
}
END_TEST

START_TEST(one_exec_makes_up_for_one_that_went_back)
{
	struct ff_site *s = site_at(1);

	for (int i = 0; i < 10; i++)
		ff_site_exec(s, &nothing);
	ff_site_back(s, FF_REASON_EXIT);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_TRIAL);
	ff_site_exec(s, &nothing);
	ff_site_back(s, FF_REASON_EXIT);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_TRIAL);
	ff_site_back(s, FF_REASON_EXIT);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_REAL);
}
END_TEST

START_TEST(each_retry_in_vain_doubles_the_patience)
{
	struct ff_site *s = site_at(1);
	unsigned patience = PATIENCE;

	ff_site_back(s, FF_REASON_CRASH);
	for (int i = 0; i < 12; i++) {
		ck_assert_uint_eq(real_forks(s, PATIENCE_MAX), patience);
		ff_site_back(s, FF_REASON_CRASH);
		if (patience * 2 < PATIENCE_MAX)
			patience *= 2;
	}
	ck_assert_uint_gt(patience, PATIENCE_MAX / 4);
}
END_TEST

START_TEST(an_exec_on_retry_makes_the_site_lazy_again)
{
	struct ff_site *s = site_at(1);

	for (int i = 0; i < 5; i++)
		ff_site_back(s, FF_REASON_CALL);
	ck_assert_uint_gt(real_forks(s, PATIENCE_MAX), PATIENCE);
	ff_site_exec(s, &nothing);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(ff_site_predict(s), FF_WAY_TRIAL);
	ff_site_back(s, FF_REASON_CALL);
	ck_assert_uint_eq(real_forks(s, PATIENCE_MAX), PATIENCE);
}
END_TEST

START_TEST(a_used_up_budget_costs_more)
{
	struct ff_site *s = site_at(1);

	ff_site_exec(s, &nothing);
	ff_site_exec(s, &nothing);
	ff_site_back(s, FF_REASON_BUDGET);
	ck_assert_uint_eq(real_forks(s, PATIENCE_MAX), PATIENCE_BUDGET);
	ff_site_back(s, FF_REASON_BUDGET);
	ck_assert_uint_eq(real_forks(s, PATIENCE_MAX), 2 * PATIENCE_BUDGET);
}
END_TEST

/* A busy machine, not the site: as long as nearly all exec in time. */
START_TEST(one_used_up_budget_among_many_execs_costs_nothing)
{
	struct ff_site *s = site_at(1);

	for (int i = 0; i < 4; i++)
		ff_site_exec(s, &nothing);
	ff_site_back(s, FF_REASON_BUDGET);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_TRIAL);
	for (int i = 4; i < 32; i++)
		ff_site_exec(s, &nothing);
	ff_site_back(s, FF_REASON_BUDGET);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_TRIAL);
	ff_site_back(s, FF_REASON_BUDGET);
	ck_assert_uint_eq(real_forks(s, PATIENCE_MAX), PATIENCE_BUDGET);
}
END_TEST

START_TEST(nor_does_it_end_commitment)
{
	struct ff_site *s = site_at(1);

	back(s, FF_REASON_OUTPUT, true);
	made_real(s, true);
	for (int i = 0; i < 4; i++)
		ff_site_exec(s, &nothing);
	ff_site_committed_strayed(s, FF_REASON_BUDGET);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_COMMITTED);
	ff_site_committed_strayed(s, FF_REASON_BUDGET);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_REAL);
}
END_TEST

/* Other threads, not the site: as long as it is rare. */
START_TEST(one_without_its_memory_costs_nothing)
{
	struct ff_site *s = site_at(1);

	ff_site_back(s, FF_REASON_MEMORY);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_TRIAL);
	ff_site_back(s, FF_REASON_MEMORY);
	ck_assert_uint_eq(real_forks(s, PATIENCE_MAX), PATIENCE);
	for (int i = 0; i < 10000; i++)
		ff_site_exec(s, &nothing);
	for (int i = 0; i < 300; i++) {
		ff_site_back(s, FF_REASON_MEMORY);
		ck_assert_int_eq(ff_site_predict(s), FF_WAY_TRIAL);
	}
}
END_TEST

/* Chance, not the site: the fork happens after the signal. */
START_TEST(why_a_site_forks_for_real_is_what_its_children_did)
{
	struct ff_site *s = site_at(0x401000);

	ff_site_back(s, FF_REASON_EXIT);
	ck_assert_ptr_nonnull(strstr(ff_site_why_real(s), "do not exec"));
	ff_site_back(s, FF_REASON_BUDGET);
	ck_assert_ptr_nonnull(strstr(ff_site_why_real(s), "budget"));
	ff_site_back(s, FF_REASON_SIGNAL);
	ck_assert_ptr_nonnull(strstr(ff_site_why_real(s), "budget"));
	ff_site_back(s, FF_REASON_OUTPUT);
	ck_assert_ptr_nonnull(strstr(ff_site_why_real(s), "write"));
	ff_site_committed_strayed(s, FF_REASON_EXIT);
	ck_assert_ptr_nonnull(strstr(ff_site_why_real(s), "committed"));
	/* it may have come to exec after that */
	ff_site_committed_strayed(s, FF_REASON_BUDGET);
	ck_assert_ptr_nonnull(strstr(ff_site_why_real(s), "budget"));
	ff_site_committed_strayed(s, FF_REASON_CALL);
	ck_assert_ptr_nonnull(strstr(ff_site_why_real(s), "let go"));
}
END_TEST

START_TEST(a_signal_says_nothing_about_a_site)
{
	struct ff_site *s = site_at(1);

	for (int i = 0; i < 20; i++)
		ff_site_back(s, FF_REASON_SIGNAL);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_TRIAL);
	ff_site_back(s, FF_REASON_CALL);
	ff_site_back(s, FF_REASON_SIGNAL);
	ck_assert_uint_eq(real_forks(s, 100), PATIENCE);
}
END_TEST

START_TEST(children_that_write_and_exec_become_committed)
{
	struct ff_site *s = site_at(1);

	back(s, FF_REASON_OUTPUT, true);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_REAL);
	made_real(s, true);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(ff_site_predict(s), FF_WAY_COMMITTED);
}
END_TEST

/* In a process that is too big, say: tried now and then, until it may be. */
START_TEST(where_children_may_not_commit_they_are_not_tried_each_time)
{
	struct ff_site *s = site_at(1);

	back(s, FF_REASON_OUTPUT, true);
	back(s, FF_REASON_OUTPUT, true);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_COMMITTED);
	for (unsigned patience = 2 * PATIENCE; patience < 400; patience *= 2) {
		ff_site_may_commit(s, false);
		back(s, FF_REASON_OUTPUT, true);
		ck_assert_uint_eq(real_forks(s, PATIENCE_MAX), 2 * patience);
	}
	ff_site_may_commit(s, true);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(ff_site_predict(s), FF_WAY_COMMITTED);
	ff_site_may_commit(NULL, false);
}
END_TEST

START_TEST(a_child_that_did_not_exec_is_never_forgotten)
{
	struct ff_site *s = site_at(1);

	back(s, FF_REASON_OUTPUT, false);
	for (int i = 0; i < 50; i++) {
		back(s, FF_REASON_OUTPUT, true);
		ck_assert_int_ne(ff_site_predict(s), FF_WAY_COMMITTED);
	}
}
END_TEST

START_TEST(only_what_commitment_would_help_counts)
{
	for (int reason = 0; reason <= FF_REASON_DIED; reason++) {
		struct ff_site *s = site_at(100U + (unsigned)reason);
		bool helps = reason == FF_REASON_OUTPUT ||
			     reason == FF_REASON_SHARED;

		for (int i = 0; i < 5; i++)
			back(s, (enum ff_reason)reason, true);
		ck_assert((ff_site_predict(s) == FF_WAY_COMMITTED) == helps);
	}
}
END_TEST

START_TEST(a_stray_child_ends_commitment_unless_it_is_one_among_many)
{
	struct ff_site *s = site_at(1);

	back(s, FF_REASON_OUTPUT, true);
	back(s, FF_REASON_OUTPUT, true);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_COMMITTED);
	ff_site_committed_strayed(s, FF_REASON_EXIT);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_REAL);
	ff_site_exec(s, &nothing);
	for (int i = 0; i < 20; i++) {
		back(s, FF_REASON_OUTPUT, true);
		ck_assert_int_ne(ff_site_predict(s), FF_WAY_COMMITTED);
	}
	for (int i = 1; i < 32; i++)
		ff_site_exec(s, &nothing);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_COMMITTED);
	ff_site_committed_strayed(s, FF_REASON_EXIT);
	ck_assert_int_ne(ff_site_predict(s), FF_WAY_COMMITTED);
}
END_TEST

/* In a child of a child: does it find what its grandparent learnt? */
static void grandchild(struct ff_site *s)
{
	int status;
	pid_t pid;

	ff_sites_new_process();
	ff_sites_listen();
	if (ff_site_predict(s) != FF_WAY_COMMITTED)
		_exit(2);
	back(s, FF_REASON_OUTPUT, true);
	pid = fork();
	if (pid == 0) {
		ff_sites_new_process();
		ff_sites_listen();
		_exit(ff_site_predict(s) == FF_WAY_COMMITTED ? 0 : 3);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		_exit(4);
	/* One that does not exec, and the parent hears nothing of it. */
	back(s, FF_REASON_OUTPUT, false);
	_exit(ff_site_predict(s) == FF_WAY_COMMITTED ? 5 : 0);
}

START_TEST(a_child_starts_with_what_its_parent_knows)
{
	struct ff_site *s = site_at(1);
	int status;
	pid_t pid;

	back(s, FF_REASON_OUTPUT, true);
	back(s, FF_REASON_OUTPUT, true);
	pid = fork();
	if (pid == 0)
		grandchild(s);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_COMMITTED);
}
END_TEST

/* It execs once; what it forks itself is not the site's child. */
START_TEST(a_child_counts_once)
{
	struct ff_site *s = site_at(1);

	for (int i = 0; i < 2; i++)
		ff_site_back(s, FF_REASON_OUTPUT);
	ff_sites_listen();
	ff_sites_new_process();
	for (int i = 0; i < 2; i++)
		ff_site_real(s);
	ff_site_born_real(s);
	ck_assert(ff_site_is_born_real());
	ff_site_child_execs();
	ff_site_child_execs();
	ck_assert(!ff_site_is_born_real());
	ff_site_born_real(s);
	ff_site_born_real(NULL);
	ff_site_child_execs();
	ff_sites_listen();
	ck_assert_uint_eq(s->real_execs, 1);
	ck_assert_int_ne(ff_site_predict(s), FF_WAY_COMMITTED);
}
END_TEST

/* Nobody hears what a process tells that nobody listens to. */
START_TEST(without_a_parent_that_listens_nothing_is_told)
{
	struct ff_site *s = site_at(1);

	ff_site_born_real(s);
	ck_assert(!ff_site_is_born_real());
	ff_site_child_execs();
}
END_TEST

static uintptr_t shared_page(void)
{
	uintptr_t page[FF_SITES_PAGES];

	ff_sites_pages(page);
	ck_assert_uint_eq(page[1], 0);
	return page[0];
}

START_TEST(only_a_page_of_numbers_is_shared)
{
	const uint32_t *word;

	ck_assert_uint_eq(shared_page(), 0);
	for (uintptr_t i = 1; i <= SITES; i++) {
		struct ff_site *s = site_at(i);

		back(s, FF_REASON_OUTPUT, true);
		back(s, FF_REASON_OUTPUT, true);
		ff_site_exec(s, &(struct ff_warm){ 1, { FF_CLUSTER } });
	}
	ck_assert_uint_ne(shared_page(), 0);
	word = (const uint32_t *)shared_page();
	for (size_t i = 0; i < FF_PAGE / sizeof(*word); i++)
		ck_assert_uint_eq(word[i], i < SITES ? 2 : 0);
}
END_TEST

/* H-U1: whatever is written there, a site is as it was, or commits. */
START_TEST(a_child_that_lies_changes_no_more_than_the_way)
{
	struct ff_site *s = site_at(1), *other = site_at(2);

	back(s, FF_REASON_OUTPUT, false);
	back(s, FF_REASON_OUTPUT, true);
	ck_assert_int_eq(ff_site_predict(s), FF_WAY_REAL);
	for (int byte = 0xff; byte > 0; byte -= 0x55) {
		const struct ff_site before = *s;

		memset((void *)shared_page(), byte, FF_PAGE);
		ck_assert_int_eq(ff_site_predict(s), FF_WAY_COMMITTED);
		ck_assert_int_eq(ff_site_predict(other), FF_WAY_TRIAL);
		ck_assert(!memcmp((const void *)s, (const void *)&before,
				  sizeof(before)));
	}
	ff_sites_new_process();
	ff_sites_listen();
	ck_assert_uint_eq(s->reals, 2);
	ck_assert_uint_eq(s->real_execs, 2);
	ck_assert_uint_eq(other->real_execs, 0);
}
END_TEST

START_TEST(where_a_parent_came_too_late_is_remembered)
{
	struct ff_site *s = site_at(1), *other = site_at(2);

	ck_assert(!ff_site_is_late(NULL));
	ck_assert(!ff_site_came_too_late(0));
	ff_site_note_child(NULL, 99);
	ff_site_note_child(s, 100);
	ff_site_note_child(other, 200);
	ck_assert(!ff_site_came_too_late(99));
	ck_assert(!ff_site_is_late(s));
	ck_assert(ff_site_came_too_late(100));
	ck_assert(ff_site_is_late(s) && !ff_site_is_late(other));
	for (int i = 0; i < 100; i++)
		ff_site_note_child(s, 1000 + i);
	ck_assert(!ff_site_came_too_late(200));
	ck_assert(ff_site_came_too_late(1099));
	ck_assert(!ff_site_is_late(other));
}
END_TEST

static uintptr_t cluster_at(unsigned i)
{
	return 0x7f0000000000 + i * FF_CLUSTER;
}

/* A child exec'ed that had fetched clusters first, first + 1, ... */
static void exec_after(struct ff_site *s, unsigned first, unsigned count)
{
	struct ff_warm fetched = { .count = count };

	for (unsigned i = 0; i < count; i++)
		fetched.cluster[i] = cluster_at(first + i);
	ff_site_exec(s, &fetched);
}

static void assert_warm(const struct ff_site *s, unsigned first, unsigned count)
{
	struct ff_warm warm;

	ff_site_keep_warm(s, &warm);
	ck_assert_uint_eq(warm.count, count);
	for (unsigned i = 0; i < count; i++)
		ck_assert_uint_eq(warm.cluster[i], cluster_at(first + i));
}

START_TEST(what_children_fetched_is_warm_for_the_next)
{
	struct ff_site *s = site_at(1), *other = site_at(2);

	assert_warm(NULL, 0, 0);
	assert_warm(s, 0, 0);
	exec_after(s, 0, 3);
	assert_warm(s, 0, 3);
	exec_after(s, 1, 5); /* each once */
	assert_warm(s, 0, 6);
	assert_warm(other, 0, 0);
	exec_after(s, 6, FF_WARM_MAX); /* as many as there is room for */
	assert_warm(s, 0, FF_WARM_MAX);
	exec_after(s, 1000, 1);
	assert_warm(s, 0, FF_WARM_MAX);
}
END_TEST

START_TEST(what_is_warm_is_learnt_afresh_now_and_then)
{
	struct ff_site *s = site_at(1);

	for (unsigned i = 1; i < AFRESH; i++)
		exec_after(s, 0, 2);
	assert_warm(s, 0, 2);
	exec_after(s, 50, 1);
	assert_warm(s, 50, 1);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, a_site_is_found_again_by_its_address);
	tcase_add_test(tests,
		       a_full_table_knows_those_it_has_and_tries_the_others);
	tcase_add_test(tests, a_new_site_is_tried);
	tcase_add_test(tests,
		       a_site_whose_first_child_went_back_forks_for_real);
	tcase_add_test(tests, one_exec_makes_up_for_one_that_went_back);
	tcase_add_test(tests, each_retry_in_vain_doubles_the_patience);
	tcase_add_test(tests, an_exec_on_retry_makes_the_site_lazy_again);
	tcase_add_test(tests, a_used_up_budget_costs_more);
	tcase_add_test(tests,
		       one_used_up_budget_among_many_execs_costs_nothing);
	tcase_add_test(tests, nor_does_it_end_commitment);
	tcase_add_test(tests, one_without_its_memory_costs_nothing);
	tcase_add_test(tests,
		       why_a_site_forks_for_real_is_what_its_children_did);
	tcase_add_test(tests, a_signal_says_nothing_about_a_site);
	tcase_add_test(tests, children_that_write_and_exec_become_committed);
	tcase_add_test(
		tests,
		where_children_may_not_commit_they_are_not_tried_each_time);
	tcase_add_test(tests, a_child_that_did_not_exec_is_never_forgotten);
	tcase_add_test(tests, only_what_commitment_would_help_counts);
	tcase_add_test(
		tests,
		a_stray_child_ends_commitment_unless_it_is_one_among_many);
	tcase_add_test(tests, a_child_counts_once);
	tcase_add_test(tests, a_child_starts_with_what_its_parent_knows);
	tcase_add_test(tests, without_a_parent_that_listens_nothing_is_told);
	tcase_add_test(tests, only_a_page_of_numbers_is_shared);
	tcase_add_test(tests, a_child_that_lies_changes_no_more_than_the_way);
	tcase_add_test(tests, where_a_parent_came_too_late_is_remembered);
	tcase_add_test(tests, what_children_fetched_is_warm_for_the_next);
	tcase_add_test(tests, what_is_warm_is_learnt_afresh_now_and_then);
}
