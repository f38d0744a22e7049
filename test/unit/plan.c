/* Which plans may share the table of descriptors with their parent. */
#include "spawn/plan.h"

#include <fcntl.h>
#include <limits.h>

#include "unit.h"

const char unit_subject[] = "plan";

#define STEP(k, ...)                             \
	(struct ff_step)                         \
	{                                        \
		.kind = FF_STEP_##k, __VA_ARGS__ \
	}
#define MOST 4

static const struct {
	struct ff_step action[MOST];
	unsigned count;
	enum ff_files files;
	int from;
	unsigned skip;
} cases[] = {
	{ { { 0 } }, 0, FF_FILES_SHARE, -1, UINT_MAX },
	{ { STEP(CLOSEFROM, .fd = 3) }, 1, FF_FILES_UNSHARE, 3, 0 },
	/* low numbers may be moved about before */
	{ { STEP(DUP2, .fd = 2, .number = 1), STEP(CLOSE, .fd = 0),
	    STEP(CLOSEFROM, .fd = 3) },
	  3,
	  FF_FILES_UNSHARE,
	  3,
	  2 },
	/* a high one raises the bound, and the closefrom stays a step */
	{ { STEP(DUP2, .fd = 700, .number = 1), STEP(CLOSEFROM, .fd = 3) },
	  2,
	  FF_FILES_UNSHARE,
	  701,
	  UINT_MAX },
	{ { STEP(DUP2, .fd = 1, .number = 5), STEP(CLOSEFROM, .fd = 5) },
	  2,
	  FF_FILES_UNSHARE,
	  6,
	  UINT_MAX },
	{ { STEP(FCHDIR, .fd = 9), STEP(CLOSEFROM, .fd = 3) },
	  2,
	  FF_FILES_UNSHARE,
	  10,
	  UINT_MAX },
	/* also one that is closed: it may be an error that it is not there */
	{ { STEP(CLOSE, .fd = 700), STEP(CLOSEFROM, .fd = 3) },
	  2,
	  FF_FILES_UNSHARE,
	  701,
	  UINT_MAX },
	/* a path may lead to a descriptor */
	{ { STEP(OPEN, .fd = 1, .text = "/proc/self/fd/9"),
	    STEP(CLOSEFROM, .fd = 3) },
	  2,
	  FF_FILES_COPY,
	  -1,
	  UINT_MAX },
	{ { STEP(CHDIR, .text = "/"), STEP(CLOSEFROM, .fd = 3) },
	  2,
	  FF_FILES_COPY,
	  -1,
	  UINT_MAX },
	{ { STEP(OPEN, .fd = 0, .text = "/dev/null", .number = O_RDWR),
	    STEP(CLOSEFROM, .fd = 3) },
	  2,
	  FF_FILES_UNSHARE,
	  3,
	  1 },
	{ { STEP(OPEN, .fd = 0, .text = "/dev/null",
		 .number = O_RDWR | O_CREAT),
	    STEP(CLOSEFROM, .fd = 3) },
	  2,
	  FF_FILES_COPY,
	  -1,
	  UINT_MAX },
	/* what comes after it is ordinary */
	{ { STEP(CLOSEFROM, .fd = 3), STEP(OPEN, .fd = 7, .text = "/x") },
	  2,
	  FF_FILES_UNSHARE,
	  3,
	  0 },
	{ { STEP(CLOSEFROM, .fd = 0) }, 1, FF_FILES_UNSHARE, 0, 0 },
	{ { STEP(DUP2, .fd = 1, .number = 2) },
	  1,
	  FF_FILES_COPY,
	  -1,
	  UINT_MAX },
	{ { STEP(CLOSE, .fd = 1) }, 1, FF_FILES_COPY, -1, UINT_MAX },
	/* a table that others change should be looked at once */
	{ { STEP(FCHDIR, .fd = 1) }, 1, FF_FILES_COPY, -1, UINT_MAX },
};

START_TEST(descriptors_go_the_way_that_is_exact)
{
	struct ff_plan plan = { .file = "/bin/true" };

	plan.steps[FF_PHASE_ACTIONS] =
		(struct ff_steps){ cases[_i].action, cases[_i].count };
	ck_assert_int_eq(ff_plan_files(&plan), cases[_i].files);
	ck_assert_int_eq(plan.unshare_from, cases[_i].from);
	ck_assert_uint_eq(plan.skip, cases[_i].skip);
}
END_TEST

START_TEST(an_attribute_that_opens_a_file_forbids_it)
{
	static const struct ff_step write = STEP(WRITE, .text = "/x");
	static const struct ff_step from = STEP(CLOSEFROM, .fd = 3);
	struct ff_plan plan = { .file = "/bin/true" };

	plan.steps[FF_PHASE_ATTRIBUTES] = (struct ff_steps){ &write, 1 };
	ck_assert_int_eq(ff_plan_files(&plan), FF_FILES_COPY);
	plan.steps[FF_PHASE_ACTIONS] = (struct ff_steps){ &from, 1 };
	ck_assert_int_eq(ff_plan_files(&plan), FF_FILES_COPY);
	plan.steps[FF_PHASE_ATTRIBUTES].count = 0;
	plan.steps[FF_PHASE_LAST] = (struct ff_steps){ &write, 1 };
	ck_assert_int_eq(ff_plan_files(&plan), FF_FILES_UNSHARE);
}
END_TEST

START_TEST(changes_of_ids_are_seen_in_every_phase)
{
	static const struct ff_step uid = STEP(UID, .number = 1);
	static const struct ff_step reset = STEP(RESETIDS);
	static const struct ff_step mask = STEP(UMASK, .number = 1);
	struct ff_plan plan = { .file = "/bin/true" };

	plan.steps[FF_PHASE_ATTRIBUTES] = (struct ff_steps){ &mask, 1 };
	ck_assert(!ff_plan_changes_ids(&plan));
	plan.steps[FF_PHASE_LAST] = (struct ff_steps){ &uid, 1 };
	ck_assert(ff_plan_changes_ids(&plan));
	plan.steps[FF_PHASE_LAST].count = 0;
	plan.steps[FF_PHASE_ATTRIBUTES] = (struct ff_steps){ &reset, 1 };
	ck_assert(ff_plan_changes_ids(&plan));
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_loop_test(tests, descriptors_go_the_way_that_is_exact, 0,
			    sizeof(cases) / sizeof(*cases));
	tcase_add_test(tests, an_attribute_that_opens_a_file_forbids_it);
	tcase_add_test(tests, changes_of_ids_are_seen_in_every_phase);
}
