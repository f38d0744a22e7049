/* Slots: how many there are, what a fresh one holds, what a child inherits. */
#include "lazy/slot.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

const char unit_subject[] = "slot";

#define SLOTS 4

static struct ff_slot *taken[SLOTS];

static void take_all(void)
{
	for (int i = 0; i < SLOTS; i++) {
		taken[i] = ff_slot_take();
		ck_assert_ptr_nonnull(taken[i]);
		for (int j = 0; j < i; j++)
			ck_assert_ptr_ne(taken[i], taken[j]);
	}
}

static void assert_fresh(const struct ff_slot *slot)
{
	static const struct ff_shared zero;

	ck_assert_ptr_nonnull(slot);
	ck_assert(slot->busy);
	ck_assert(!slot->armed && !slot->real && !slot->committed);
	ck_assert_int_eq(slot->outcome, FF_OUTCOME_NONE);
	ck_assert_ptr_null(slot->why_real);
	ck_assert_uint_eq(slot->reason, FF_REASON_NONE);
	ck_assert_int_eq(slot->call, -1);
	ck_assert(!memcmp((const void *)slot->shared, (const void *)&zero,
			  sizeof(zero)));
	ck_assert_ptr_nonnull(slot->altstack);
	slot->altstack[0] = slot->altstack[FF_ALTSTACK_BYTES - 1] = 1;
}

static void use(struct ff_slot *slot)
{
	memset((void *)slot->shared, 0xff, sizeof(*slot->shared));
	slot->armed = slot->real = slot->committed = true;
	slot->outcome = FF_OUTCOME_BACK;
	slot->why_real = "used";
	slot->reason = FF_REASON_CRASH;
	slot->call = 7;
}

START_TEST(all_can_be_taken_and_then_none_is_left)
{
	take_all();
	for (int i = 0; i < SLOTS; i++)
		assert_fresh(taken[i]);
	ck_assert_ptr_null(ff_slot_take());
	ck_assert_ptr_null(ff_slot_take());
}
END_TEST

START_TEST(what_is_put_back_can_be_taken_again_as_new)
{
	take_all();
	use(taken[2]);
	ff_slot_put(taken[2]);
	ck_assert_ptr_eq(ff_slot_take(), taken[2]);
	assert_fresh(taken[2]);
	ck_assert_ptr_null(ff_slot_take());
}
END_TEST

START_TEST(pages_are_disjoint_and_all_of_them_kept)
{
	struct ff_keep keep = { .count = 0 };
	const struct ff_range *r = keep.range;

	ff_slots_keep(&keep);
	ck_assert_uint_eq(keep.count, 0);
	take_all();
	ff_slot_put(taken[1]); /* memory of a free slot is still ours */
	ff_slots_keep(&keep);
	ck_assert_uint_eq(keep.count, 2 * SLOTS);
	for (unsigned i = 0; i < keep.count; i++)
		for (unsigned j = 0; j < i; j++)
			ck_assert(r[i].end <= r[j].start ||
				  r[j].end <= r[i].start);
	for (int i = 0; i < SLOTS; i++) {
		ck_assert_uint_eq(r[2 * i].start,
				  (uintptr_t)taken[i]->altstack);
		ck_assert_uint_eq(r[2 * i].end - r[2 * i].start,
				  FF_ALTSTACK_BYTES);
		ck_assert_uint_eq(r[2 * i + 1].start,
				  (uintptr_t)taken[i]->shared);
	}
}
END_TEST

/* The child of a real fork has the parent's pages until it lets them go. */
START_TEST(a_new_process_has_all_slots_and_none_of_the_parents_pages)
{
	struct ff_shared *shared[SLOTS];
	int status;
	pid_t pid;

	take_all();
	for (int i = 0; i < SLOTS; i++) {
		shared[i] = taken[i]->shared;
		use(taken[i]);
	}
	ff_current = taken[3];
	pid = fork();
	if (pid == 0) {
		ff_slots_reset();
		if (ff_current)
			_exit(2);
		for (int i = 0; i < SLOTS; i++)
			if (msync(shared[i], FF_PAGE, MS_ASYNC) == 0)
				_exit(3);
		for (int i = 0; i < SLOTS; i++) {
			struct ff_slot *slot = ff_slot_take();

			if (!slot || slot->armed || slot->call != -1)
				_exit(4);
			slot->shared->state = FF_RELEASED;
			slot->altstack[0] = 2;
		}
		_exit(ff_slot_take() ? 5 : 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	for (int i = 0; i < SLOTS; i++)
		ck_assert_uint_eq(shared[i]->state, UINT32_MAX);
	ck_assert_ptr_null(ff_slot_take());
}
END_TEST

/* ... and when there is memory again, so are they. */
START_TEST(without_memory_there_are_no_slots)
{
	struct rlimit limit, tight = { 0 };

	getrlimit(RLIMIT_AS, &limit);
	tight.rlim_max = limit.rlim_max;
	for (int i = 0; i < 2 * SLOTS; i++) {
		struct ff_slot *none;

		setrlimit(RLIMIT_AS, &tight);
		none = ff_slot_take();
		setrlimit(RLIMIT_AS, &limit);
		ck_assert_ptr_null(none);
	}
	take_all();
	for (int i = 0; i < SLOTS; i++)
		assert_fresh(taken[i]);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, all_can_be_taken_and_then_none_is_left);
	tcase_add_test(tests, what_is_put_back_can_be_taken_again_as_new);
	tcase_add_test(tests, pages_are_disjoint_and_all_of_them_kept);
	tcase_add_test(
		tests,
		a_new_process_has_all_slots_and_none_of_the_parents_pages);
	tcase_add_test(tests, without_memory_there_are_no_slots);
}
