/*
 * Where a child's memory comes from. This process is the child, and who stands
 * in for its parent is a copy of it, or a thread that says what none should.
 */
#include "lazy/child/source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lazy/child/child.h"
#include "lazy/parent/standin.h"
#include "one_area.h"
#include "unit.h"

const char unit_subject[] = "source";

#define BYTES ((size_t)1 << 20)

static struct ff_slot *slot;
static struct ff_shared *said;
static unsigned char *memory;

static void begin(void)
{
	memory = one_area_map(BYTES);
	memset(memory, 1, BYTES);
	slot = one_area_slot(memory, BYTES, true);
	said = slot->shared;
	ff_child.shared = said;
	ff_child.slot = &ff_image_of(slot)->slot;
	ff_child.mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	ff_child.pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(ff_child.mem, 0);
	ck_assert_int_ge(ff_child.pagemap, 0);
}

/* Whom it is for, by the kernel's word. */
static pid_t make_child(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

/* It has memory of ones, and here all is twos then. */
static pid_t make_standin(void)
{
	char path[64], text[256], *at = text;
	pid_t pid, child = make_child();

	ck_assert(ff_standin_make(slot, child));
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	unit_read_file(path, text, sizeof(text));
	while ((pid = (pid_t)strtol(at, &at, 10)) == child)
		;
	ck_assert_int_gt(pid, 0);
	memset(memory, 2, BYTES);
	return pid;
}

static long read_page(size_t i)
{
	return ff_source_read((uintptr_t)memory + i * FF_PAGE, FF_PAGE);
}

START_TEST(the_parent_is_the_source_until_it_says_otherwise)
{
	uint64_t entry = 0;

	begin();
	ck_assert_int_eq(read_page(0), FF_PAGE);
	ck_assert_int_eq(ff_source_pagemap((uintptr_t)memory, &entry, 1), 1);
	ck_assert_uint_ne(entry, 0);
	ck_assert_uint_eq(said->asked, 0);
	make_standin();
	ck_assert_int_eq(read_page(1), FF_PAGE);
	ck_assert_uint_eq(said->asked, 1);
	ck_assert_uint_eq(memory[FF_PAGE], 1);
	ck_assert_uint_eq(memory[2 * FF_PAGE], 2);
	entry = 0;
	ck_assert_int_eq(ff_source_pagemap((uintptr_t)memory, &entry, 1), 1);
	ck_assert_uint_ne(entry, 0);
	ck_assert_uint_eq(said->asked, 2);
}
END_TEST

START_TEST(who_is_stopped_answers_all_the_same)
{
	pid_t pid;

	begin();
	pid = make_standin();
	kill(pid, SIGSTOP);
	ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED | __WALL), pid);
	ck_assert_int_eq(read_page(3), FF_PAGE);
	ck_assert_uint_eq(memory[3 * FF_PAGE], 1);
	kill(pid, SIGKILL);
}
END_TEST

START_TEST(who_is_dead_does_not_hold_its_child)
{
	pid_t pid;

	begin();
	pid = make_standin();
	kill(pid, SIGKILL);
	ck_assert_int_eq(read_page(4), -ESRCH);
	ck_assert_int_eq(read_page(4), -ESRCH);
	ck_assert_uint_eq(memory[4 * FF_PAGE], 2);
}
END_TEST

static const long answers[] = { FF_PAGE + 1, LONG_MAX, -EFAULT, 0, 1 };

static void *answer_all(void *arg)
{
	for (uint32_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		while (atomic_load(&said->asked) != i + 1)
			;
		said->answer = answers[i];
		atomic_store(&said->answered, i + 1);
	}
	return arg;
}

START_TEST(an_answer_is_no_more_than_was_asked_for)
{
	pthread_t thread;

	begin();
	memset(memory, 2, BYTES);
	atomic_store(&said->source, FF_SOURCE_STANDIN);
	ck_assert(!pthread_create(&thread, NULL, answer_all, NULL));
	ck_assert_int_eq(read_page(0), -EIO);
	ck_assert_int_eq(read_page(0), -EIO);
	ck_assert_int_eq(read_page(0), -EFAULT);
	ck_assert_int_eq(read_page(0), 0);
	ck_assert_uint_eq(memory[0], 2);
	ck_assert_int_eq(read_page(0), 1);
	ck_assert_uint_eq(memory[0], 0);
	ck_assert_uint_eq(memory[1], 2);
	pthread_join(thread, NULL);
}
END_TEST

/* H-D17: a parent that does not answer, and one that is dead. */
START_TEST(a_parent_that_is_silent_does_not_hold_a_trial)
{
	begin();
	close(ff_child.mem);
	ff_child.mem = -1;
	ff_child.committed = false;
	ff_child.parent = getppid();
	memset(memory, 2, BYTES);
	ck_assert_int_eq(read_page(0), -ESRCH);
	ck_assert_uint_eq(memory[0], 2);
	ff_child.committed = true;
	ff_child.parent = getpid();
	ck_assert_int_eq(read_page(0), -ESRCH);
}
END_TEST

/* One that can be opened, and not be read. */
START_TEST(what_the_descriptor_does_not_give_is_asked_for)
{
	pthread_t thread;

	begin();
	close(ff_child.mem);
	ff_child.mem = open("/proc/self/mem", O_WRONLY | O_CLOEXEC);
	ff_child.parent = getppid();
	ck_assert(!pthread_create(&thread, NULL, answer_all, NULL));
	ck_assert_int_eq(read_page(0), -EIO);
	ck_assert_int_eq(read_page(0), -EIO);
	ck_assert_int_eq(read_page(0), -EFAULT);
	ck_assert_int_eq(read_page(0), 0);
	ck_assert_int_eq(read_page(0), 1);
	pthread_join(thread, NULL);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, a_parent_that_is_silent_does_not_hold_a_trial);
	tcase_add_test(tests, what_the_descriptor_does_not_give_is_asked_for);
	tcase_add_test(tests, the_parent_is_the_source_until_it_says_otherwise);
	tcase_add_test(tests, who_is_stopped_answers_all_the_same);
	tcase_add_test(tests, who_is_dead_does_not_hold_its_child);
	tcase_add_test(tests, an_answer_is_no_more_than_was_asked_for);
}
