/*
 * Who stands in for a parent, and a child that is hostile: this process has
 * the image, too, and writes there what such a child might.
 */
#include "lazy/parent/standin.h"
#include "process/standins.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/fault.h"
#include "one_area.h"
#include "unit.h"

const char unit_subject[] = "standin";

#define BYTES ((size_t)1 << 20)
#define PATIENCE 20

static struct ff_slot *slot;
static struct ff_shared *said;
static unsigned char *memory;
static char secret[64] = "nobody's but the parent's";
static int go[2];
static pid_t child;

static unsigned char byte_at(size_t i)
{
	return (unsigned char)(i * 31 + i / 4096);
}

static void make_child(void)
{
	char c;

	ck_assert(!pipe(go));
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child)
		return;
	if (read(go[0], &c, 1) == 1)
		execl("/bin/sleep", "sleep", "60", (char *)NULL);
	_exit(1);
}

static void prepare(void)
{
	struct ff_slot *image;

	memory = one_area_map(BYTES);
	for (size_t i = 0; i < BYTES; i++)
		memory[i] = byte_at(i);
	slot = one_area_slot(memory, BYTES, true);
	said = slot->shared;
	/* H-D4: all that it should not go by. */
	image = &ff_image_of(slot)->slot;
	image->areas.area[0].start = 0;
	image->areas.area[0].end = UINTPTR_MAX;
	image->areas.shared_count = 2;
	image->areas.shared[0].start = (uintptr_t)memory;
	image->areas.shared[0].end = (uintptr_t)memory + BYTES;
	image->areas.shared[1].end = (uintptr_t)1 << 46;
	make_child();
}

static void begin(void)
{
	prepare();
	ck_assert(ff_standin_make(slot, child));
	ck_assert(ff_any_standin());
}

/* Who stands in: a child of this process, and not @child. */
static pid_t standin(void)
{
	char path[64], text[256], *at = text;
	pid_t pid = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	unit_read_file(path, text, sizeof(text));
	while ((pid = (pid_t)strtol(at, &at, 10)) == child)
		;
	return pid;
}

/* Stopped by somebody who sees it; its parent is told that, too. */
static pid_t stop(void)
{
	pid_t pid = standin();
	siginfo_t info = { 0 };

	ck_assert_int_gt(pid, 0);
	kill(pid, SIGSTOP);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info,
				WSTOPPED | WNOWAIT | __WALL),
			 0);
	return pid;
}

/* As lazy/child/source.c asks. */
static long ask(enum ff_want question, const void *at, size_t bytes)
{
	const struct timespec patience = { PATIENCE, 0 };
	uint32_t number = said->asked + 1, seen;

	said->question = question;
	said->at = (uintptr_t)at;
	said->bytes = bytes;
	atomic_store(&said->asked, number);
	syscall(SYS_futex, &said->asked, FUTEX_WAKE, 1, NULL, NULL, 0);
	while ((seen = atomic_load(&said->answered)) != number)
		if (syscall(SYS_futex, &said->answered, FUTEX_WAIT, seen,
			    &patience, NULL, 0) < 0)
			ck_assert_uint_eq(said->answered, number);
	return said->answer;
}

static void assert_ends(bool while_asked)
{
	const time_t until = time(NULL) + PATIENCE;

	while (ff_any_standin()) {
		ck_assert_int_lt(time(NULL), until);
		for (int i = 0; i < 1000 && while_asked; i++) {
			atomic_fetch_add(&said->asked, 1);
			atomic_store(&said->state, i);
		}
		syscall(SYS_futex, &said->asked, FUTEX_WAKE, 1, NULL, NULL, 0);
		ff_standins_reap();
	}
}

static void end_child(void)
{
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

START_TEST(gives_what_the_child_went_without_and_nothing_else)
{
	const unsigned char *window;
	const uint64_t *entry;

	begin();
	window = ff_image_of(slot)->slot.window;
	memset(memory, 0xee, BYTES); /* as of now is not as of then */
	ck_assert_int_eq(ask(FF_WANT_MEMORY, memory + 8192, 5000), 5000);
	for (size_t i = 0; i < 5000; i++)
		ck_assert_uint_eq(window[i], byte_at(8192 + i));
	ck_assert_int_eq(ask(FF_WANT_MEMORY, memory, SIZE_MAX),
			 (long)FF_WINDOW_BYTES);
	ck_assert_int_eq(ask(FF_WANT_MEMORY, memory + BYTES - 100, 4096), 100);
	ck_assert_int_lt(ask(FF_WANT_MEMORY, memory + BYTES, 1), 0);
	ck_assert_int_lt(ask(FF_WANT_MEMORY, memory - 1, 4096), 0);
	ck_assert_int_lt(ask(FF_WANT_MEMORY, secret, sizeof(secret)), 0);
	ck_assert_int_lt(ask(FF_WANT_PAGEMAP, secret, 8), 0);
	ck_assert_int_lt(ask(FF_WANT_MEMORY, NULL, SIZE_MAX), 0);
	ck_assert_int_eq(ask(FF_WANT_PAGEMAP, memory, SIZE_MAX),
			 (long)(BYTES / FF_PAGE * sizeof(*entry)));
	entry = (const uint64_t *)window;
	for (size_t i = 0; i < BYTES / FF_PAGE; i++)
		ck_assert_uint_eq(entry[i] & ~((uint64_t)1 << 62),
				  (uint64_t)1 << 63);
	end_child();
	assert_ends(false);
}
END_TEST

START_TEST(no_word_ends_it_while_its_child_is_there)
{
	begin();
	for (int i = 0; i < 200; i++) {
		atomic_store(&said->owner, i % 3 ? FUTEX_OWNER_DIED : 0);
		ck_assert_int_eq(ask(FF_WANT_MEMORY, memory, 4096), 4096);
		ff_standins_reap();
		ck_assert(ff_any_standin());
	}
	end_child();
	assert_ends(false);
}
END_TEST

START_TEST(it_ends_with_its_child_however_much_it_is_asked)
{
	begin();
	end_child();
	assert_ends(true);
}
END_TEST

START_TEST(it_ends_when_its_child_execs_however_much_it_is_asked)
{
	begin();
	ck_assert_int_eq(write(go[1], "x", 1), 1);
	assert_ends(true);
	ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
	end_child();
}
END_TEST

START_TEST(one_for_an_exec_that_is_none_any_more_is_dismissed)
{
	begin();
	slot->committed = false;
	atomic_store(&said->state, FF_RUNNING);
	ck_assert(!ff_standin_make_for_exec(slot, child));
	ck_assert_int_eq(ask(FF_WANT_MEMORY, memory, 4096), 4096);
	end_child();
	assert_ends(false);
}
END_TEST

/* Nobody gets anything from it, and it is not there for ever. */
START_TEST(one_that_does_not_stand_up_is_given_up)
{
	prepare();
	ff_faults_load("standin-stops");
	ck_assert(!ff_standin_make(slot, child));
	ck_assert_int_eq(said->source, FF_SOURCE_PARENT);
	slot->committed = false;
	atomic_store(&said->state, FF_EXECING);
	ck_assert(!ff_standin_make_for_exec(slot, child));
	ck_assert_int_eq(said->state, FF_EXECING);
	end_child();
	assert_ends(false);
	ck_assert_int_eq(standin(), 0);
}
END_TEST

START_TEST(one_that_is_stopped_holds_nobody_who_waits)
{
	siginfo_t info = { 0 };
	pid_t pid;

	begin();
	pid = stop();
	ck_assert(!waitid(P_ALL, 0, &info, WSTOPPED | WNOWAIT | __WALL));
	ck_assert_int_eq(info.si_pid, pid);
	ck_assert(ff_standin_found(&info));
	ck_assert(ff_any_standin());
	info.si_pid = 0;
	ck_assert(!waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG | __WALL));
	ck_assert_int_eq(info.si_pid, 0);
	ff_standins_settle();
	ff_standins_await(50);
	ck_assert(ff_any_standin());
	end_child();
	ff_standins_settle();
	ck_assert(!ff_any_standin());
}
END_TEST

START_TEST(one_that_is_stopped_and_not_needed_is_left_to_nobody)
{
	begin();
	stop();
	ck_assert_int_eq(write(go[1], "x", 1), 1);
	/* not before its child execs, and then not for long */
	while (ff_any_standin())
		ff_standins_await(50);
	ck_assert_int_eq(standin(), 0);
	end_child();
}
END_TEST

START_TEST(one_that_is_stopped_and_not_needed_is_tidied_up)
{
	begin();
	stop();
	ff_standins_reap();
	ck_assert(ff_any_standin());
	ck_assert_int_eq(write(go[1], "x", 1), 1);
	while (ff_any_standin())
		ff_standins_reap();
	end_child();
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests,
		       gives_what_the_child_went_without_and_nothing_else);
	tcase_add_test(tests, no_word_ends_it_while_its_child_is_there);
	tcase_add_test(tests, it_ends_with_its_child_however_much_it_is_asked);
	tcase_add_test(tests,
		       it_ends_when_its_child_execs_however_much_it_is_asked);
	tcase_add_test(tests,
		       one_for_an_exec_that_is_none_any_more_is_dismissed);
	tcase_add_test(tests, one_that_does_not_stand_up_is_given_up);
	tcase_add_test(tests, one_that_is_stopped_holds_nobody_who_waits);
	tcase_add_test(tests,
		       one_that_is_stopped_and_not_needed_is_left_to_nobody);
	tcase_add_test(tests, one_that_is_stopped_and_not_needed_is_tidied_up);
}
