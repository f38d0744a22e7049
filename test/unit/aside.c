/* What is done aside: by a child that nobody finds, or by the caller. */
#include "process/aside.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/sys.h"
#include "process/trials.h"
#include "unit.h"

const char unit_subject[] = "aside";

struct done {
	long by;
	int twice;
};

static void note(void *arg)
{
	struct done *done = arg;

	done->by = sys(getpid);
	done->twice *= 2;
}

static void do_aside(struct done *done)
{
	*done = (struct done){ 0, 21 };
	ck_assert(ff_aside(note, done, sizeof(*done)));
	ck_assert_int_eq(done->twice, 42);
}

START_TEST(a_child_does_it_and_is_gone)
{
	struct done done;

	do_aside(&done);
	ck_assert_int_ne(done.by, getpid());
	ck_assert_int_eq(waitpid(-1, NULL, __WALL | WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

/* Whoever waits for clones would find it. */
START_TEST(where_trials_are_forbidden_the_caller_does_it)
{
	struct done done;

	ff_trials_forbid();
	do_aside(&done);
	ck_assert_int_eq(done.by, getpid());
}
END_TEST

START_TEST(a_wait_for_clones_waits_for_nothing_afterwards)
{
	struct done done;

	do_aside(&done);
	ff_trials_forbid();
	ck_assert(!ff_trial_begin());
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, a_child_does_it_and_is_gone);
	tcase_add_test(tests, where_trials_are_forbidden_the_caller_does_it);
	tcase_add_test(tests, a_wait_for_clones_waits_for_nothing_afterwards);
}
