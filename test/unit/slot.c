/* Slots: how many there are, what a fresh one holds, what a child inherits. */
#include "lazy/slot.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/ground.h"
#include "unit.h"

const char unit_subject[] = "slot";

#define SLOTS FF_SLOTS

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

static void assert_fresh(struct ff_slot *slot)
{
	static const struct ff_shared zero;
	char *stack;

	ck_assert_ptr_nonnull(slot);
	ck_assert(!slot->armed && !slot->real && !slot->committed &&
		  !slot->at_large);
	ck_assert_int_eq(slot->outcome, FF_OUTCOME_NONE);
	ck_assert_ptr_null(slot->why_real);
	ck_assert_uint_eq(slot->reason, FF_REASON_NONE);
	ck_assert_int_eq(slot->call, -1);
	ck_assert(!memcmp((const void *)slot->shared, (const void *)&zero,
			  sizeof(zero)));
	stack = ff_house_of(slot)->altstack;
	stack[0] = stack[FF_ALTSTACK_BYTES - 1] = 1;
}

static void use(struct ff_slot *slot)
{
	memset((void *)slot->shared, 0xff, sizeof(*slot->shared));
	slot->armed = slot->real = slot->committed = slot->at_large = true;
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
				  (uintptr_t)ff_house_of(taken[i]));
		ck_assert_uint_eq(r[2 * i + 1].start,
				  (uintptr_t)ff_image_of(taken[i]));
		ck_assert_uint_ge(r[2 * i].end - r[2 * i].start,
				  sizeof(struct ff_house));
		ck_assert_uint_ge(r[2 * i + 1].end - r[2 * i + 1].start,
				  sizeof(struct ff_house));
	}
}
END_TEST

static bool is_mapped(const void *page)
{
	return msync((void *)((uintptr_t)page & ~(FF_PAGE - 1)), FF_PAGE,
		     MS_ASYNC) == 0;
}

/* H-I4: whatever a committed child has said of itself. */
START_TEST(who_is_not_over_has_its_image_alone)
{
	struct ff_slot *slot = ff_slot_take(), *image;
	pid_t child = fork();

	if (child == 0)
		for (;;)
			pause();
	ck_assert_int_gt(child, 0);
	image = &ff_image_of(slot)->slot;
	image->window[0] = 7;
	slot->committed = true;
	slot->outcome = FF_OUTCOME_EXEC;
	slot->went_on = child;
	ff_slot_put(slot);
	ck_assert_ptr_eq(ff_slot_take(), slot);
	image = &ff_image_of(slot)->slot;
	ck_assert_uint_eq(image->window[0], 0);
	image->window[0] = 8;
	slot->went_on = child;
	ff_slot_put(slot);
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_ptr_eq(ff_slot_take(), slot);
	ck_assert_uint_eq(ff_image_of(slot)->slot.window[0], 8);
}
END_TEST

/* In a child: as it should be after ff_slots_reset(); 0, or what is not. */
static int new_process(void)
{
	if (ff_current)
		return 2;
	for (int i = 0; i < SLOTS; i++) {
		struct ff_slot *slot = ff_slot_take();

		if (!slot || slot->armed || slot->call != -1)
			return 3;
		slot->shared->state = FF_RELEASED;
		ff_house_of(slot)->altstack[0] = 2;
	}
	return ff_slot_take() ? 4 : 0;
}

static void use_all(void)
{
	take_all();
	for (int i = 0; i < SLOTS; i++)
		use(taken[i]);
	ff_current = taken[3];
}

static void assert_child_was_content(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	for (int i = 0; i < SLOTS; i++)
		ck_assert_uint_eq(taken[i]->shared->state, UINT32_MAX);
	ck_assert_ptr_null(ff_slot_take());
}

/* H-I3: the child of a real fork has none of its parent's images and houses. */
START_TEST(a_new_process_has_all_slots_and_none_of_the_parents_memory)
{
	struct ff_shared *shared[SLOTS];
	pid_t pid;

	use_all();
	for (int i = 0; i < SLOTS; i++)
		shared[i] = taken[i]->shared;
	ck_assert(ff_slot_open(taken[0]));
	ff_slot_close(taken[0]);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < SLOTS; i++)
			if (is_mapped(taken[i]) || is_mapped(shared[i]))
				_exit(5);
		ff_slots_reset();
		_exit(new_process());
	}
	assert_child_was_content(pid);
}
END_TEST

/* A lazy child that goes on alone runs in what was the image of its slot. */
START_TEST(a_lazy_process_keeps_the_image_it_runs_in)
{
	struct ff_house *house, *image;
	struct ff_slot *own;
	pid_t pid;

	use_all();
	own = taken[1];
	own->areas.count = 2;
	own->areas.area[1].start = 77;
	own->areas.shared_count = 1;
	own->areas.shared[0].end = 88;
	ff_slot_depict(own);
	house = ff_house_of(own);
	image = ff_image_of(own);
	ck_assert(ff_slot_open(own));
	pid = fork();
	if (pid == 0) {
		if (mremap(image, sizeof(*image), sizeof(*image),
			   MREMAP_MAYMOVE | MREMAP_FIXED, house) != house)
			_exit(5);
		if (own->call != 7 || own->areas.count != 2 ||
		    own->areas.area[1].start != 77 ||
		    own->areas.shared[0].end != 88)
			_exit(6);
		ff_slots_reset();
		if (!is_mapped(own))
			_exit(7);
		_exit(new_process());
	}
	assert_child_was_content(pid);
}
END_TEST

/* H-I1: what the child says, all of it nonsense. */
START_TEST(what_a_child_says_is_a_hint)
{
	static const unsigned char nonsense[] = { 0xff, 0x7f, 0x80, 0x41, 1 };
	struct ff_slot *slot;
	struct ff_warm warm;

	take_all();
	slot = taken[0];
	slot->areas.count = 1;
	slot->areas.area[0].start = 0x10000000;
	slot->areas.area[0].end = 0x20000000;
	for (size_t i = 0; i < sizeof(nonsense); i++) {
		memset((void *)slot->shared, nonsense[i],
		       sizeof(*slot->shared));
		ck_assert_uint_eq(ff_reason_told(slot), FF_REASON_NONE);
		ff_warm_told(slot, &warm);
		ck_assert_uint_eq(warm.count, 0);
	}
	for (uint32_t reason = 0; reason < FF_REASON_COUNT; reason++) {
		slot->shared->reason = reason;
		ck_assert_uint_eq(ff_reason_told(slot), reason);
	}
	slot->shared->reason = FF_REASON_COUNT;
	ck_assert_uint_eq(ff_reason_told(slot), FF_REASON_NONE);
}
END_TEST

START_TEST(warm_is_what_lies_in_an_area)
{
	static const uintptr_t said[] = {
		0,	    0xfff0000,	0x10000000,	    0x10000001,
		0x1fff0000, 0x20000000, ~(uintptr_t)0xffff, 0x7ff0000,
		0x30000000, 0x2fff0000,
	};
	struct ff_slot *slot;
	struct ff_warm warm;

	take_all();
	slot = taken[3];
	slot->areas.count = 2;
	slot->areas.area[0].start = 0x10001000; /* amid a cluster */
	slot->areas.area[0].end = 0x20000000;
	slot->areas.area[1].start = 0x30000000;
	slot->areas.area[1].end = 0x30010000;
	slot->shared->warm.count = sizeof(said) / sizeof(said[0]);
	memcpy(slot->shared->warm.cluster, said, sizeof(said));
	ff_warm_told(slot, &warm);
	ck_assert_uint_eq(warm.count, 3);
	ck_assert_uint_eq(warm.cluster[0], 0x10000000);
	ck_assert_uint_eq(warm.cluster[1], 0x1fff0000);
	ck_assert_uint_eq(warm.cluster[2], 0x30000000);
	slot->shared->warm.count = ~0u;
	for (unsigned i = 0; i < FF_WARM_MAX; i++)
		slot->shared->warm.cluster[i] = 0x11110000;
	ff_warm_told(slot, &warm);
	ck_assert_uint_eq(warm.count, FF_WARM_MAX);
}
END_TEST

/* Whoever still runs in an image does not share it with the next child. */
START_TEST(an_image_that_is_lived_in_is_left_to_its_child)
{
	struct ff_shared *before;

	take_all();
	for (int i = 0; i < 3; i++) {
		before = taken[i]->shared;
		taken[i]->outcome =
			i == 0 ? FF_OUTCOME_RELEASED : FF_OUTCOME_EXEC;
		taken[i]->at_large = i == 1;
		ff_slot_put(taken[i]);
		ck_assert_int_eq(is_mapped(before), i == 2);
	}
	for (int i = 0; i < 3; i++)
		assert_fresh(ff_slot_take());
}
END_TEST

/* H-I1: the next child is not to be found in what one may have kept. */
START_TEST(an_image_is_used_once_where_rights_were_given_up)
{
	static const enum ff_outcome outcomes[] = {
		FF_OUTCOME_NONE,
		FF_OUTCOME_EXEC,
		FF_OUTCOME_BACK,
		FF_OUTCOME_ENDED,
	};
	struct ff_shared *before;
	struct ff_slot *slot;

	for (size_t i = 0; i < 5 * sizeof(outcomes) / sizeof(outcomes[0]);
	     i++) {
		slot = ff_slot_take();
		ck_assert_ptr_nonnull(slot);
		before = slot->shared;
		slot->outcome = outcomes[i / 5];
		slot->may_lower = i % 5;
		slot->alone = i % 5 != 2;
		slot->committed = i % 5 == 3;
		ff_image_of(slot)->latch.changed = i % 5 == 4;
		ff_slot_put(slot);
		ck_assert_int_eq(is_mapped(before), i % 5 < 2);
		assert_fresh(ff_slot_take());
		ck_assert_uint_eq(ff_image_of(slot)->latch.changed, 0);
		ff_slot_put(slot);
		ck_assert(is_mapped(slot->shared));
	}
}
END_TEST

/* H-I2: who has told can't untell, and has nobody else's image either. */
START_TEST(a_latch_is_out_of_reach_once_it_is_told)
{
	struct ff_house *house, *image, *other;
	int status;
	pid_t pid;

	take_all();
	house = ff_house_of(taken[1]);
	image = ff_image_of(taken[1]);
	other = ff_image_of(taken[2]);
	ff_slot_depict(taken[1]);
	ck_assert(ff_slot_open(taken[1]) && ff_slot_open(taken[2]));
	pid = fork();
	if (pid == 0) {
		if (mremap(image, sizeof(*image), sizeof(*image),
			   MREMAP_MAYMOVE | MREMAP_FIXED, house) != house)
			_exit(5);
		if (!is_mapped(&house->latch) || !is_mapped(other))
			_exit(6);
		ff_slots_of_others(taken[1]);
		if (!ff_slot_latch(taken[1]))
			_exit(7);
		if (is_mapped(&house->latch) || is_mapped(other))
			_exit(8);
		house->altstack[0] = 1;
		taken[1]->window[FF_WINDOW_BYTES - 1] = 1;
		_exit(is_mapped(taken[1]) ? 0 : 9);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(image->latch.changed, 1);
	ck_assert_uint_eq(other->latch.changed, 0);
}
END_TEST

#define STATUS(uid, gid, caps)                                    \
	"Name:\tx\nUid:\t" uid "\nGid:\t" gid "\nCapInh:\t00ff\n" \
	"CapPrm:\t" caps "\nCapEff:\t0000\n"

START_TEST(rights_to_give_up_are_capabilities_and_other_ids)
{
	static const char *const some[] = {
		STATUS("0\t0\t0\t0", "0\t0\t0\t0", "000001ffffffffff"),
		STATUS("5\t5\t5\t5", "5\t5\t5\t5", "0000000000000400"),
		STATUS("5\t5\t7\t5", "5\t5\t5\t5", "0000000000000000"),
		STATUS("5\t5\t5\t5", "5\t5\t55\t5", "0000000000000000"),
		STATUS("5\t5\t5", "5\t5\t5\t5", "0000000000000000"),
		"Name:\tx\n",
		"",
	};

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		ck_assert(ff_ground_may_lower(some[i]));
	ck_assert(!ff_ground_may_lower(
		STATUS("5\t5\t5\t5", "6\t6\t6\t6", "0000000000000000")));
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
	tcase_add_test(tests, who_is_not_over_has_its_image_alone);
	tcase_add_test(tests, all_can_be_taken_and_then_none_is_left);
	tcase_add_test(tests, what_is_put_back_can_be_taken_again_as_new);
	tcase_add_test(tests, pages_are_disjoint_and_all_of_them_kept);
	tcase_add_test(
		tests,
		a_new_process_has_all_slots_and_none_of_the_parents_memory);
	tcase_add_test(tests, a_lazy_process_keeps_the_image_it_runs_in);
	tcase_add_test(tests, what_a_child_says_is_a_hint);
	tcase_add_test(tests, warm_is_what_lies_in_an_area);
	tcase_add_test(tests, an_image_that_is_lived_in_is_left_to_its_child);
	tcase_add_test(tests, an_image_is_used_once_where_rights_were_given_up);
	tcase_add_test(tests, a_latch_is_out_of_reach_once_it_is_told);
	tcase_add_test(tests, rights_to_give_up_are_capabilities_and_other_ids);
	tcase_add_test(tests, without_memory_there_are_no_slots);
}
