/*
 * The parent that gives its child memory: this process is both, and asks as a
 * child might, or as none should.
 */
#include "lazy/parent/supply.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host/fault.h"
#include "one_area.h"
#include "unit.h"

const char unit_subject[] = "supply";

#define BYTES ((size_t)1 << 20)
#define PATIENCE 20

static struct ff_slot *slot;
static struct ff_shared *said;
static struct ff_supply supply;
static unsigned char *memory;
static char secret[64] = "nobody's but the parent's";

static void begin(void)
{
	struct ff_slot *image;

	memory = one_area_map(BYTES);
	memset(memory, 7, BYTES);
	slot = one_area_slot(memory, BYTES, false);
	said = slot->shared;
	/* H-D4: what it should not go by. */
	image = &ff_image_of(slot)->slot;
	image->areas.area[0].start = 0;
	image->areas.area[0].end = UINTPTR_MAX;
	ff_supply_begin(&supply, image, &slot->areas, FF_SOURCE_PARENT);
}

static void put_question(enum ff_want question, const void *at, size_t bytes)
{
	said->question = question;
	said->at = (uintptr_t)at;
	said->bytes = bytes;
	atomic_fetch_add(&said->asked, 1);
	syscall(SYS_futex, &said->asked, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static long ask(enum ff_want question, const void *at, size_t bytes)
{
	put_question(question, at, bytes);
	ck_assert(ff_supply_is_asked(&supply));
	ff_supply_answer(&supply);
	ck_assert(!ff_supply_is_asked(&supply));
	ck_assert_uint_eq(said->answered, said->asked);
	return said->answer;
}

static void look_at_answers(void)
{
	const unsigned char *window = supply.image->window;

	memset(memory + 8192, 9, 100);
	ck_assert_int_eq(ask(FF_WANT_MEMORY, memory + 8192, 5000), 5000);
	for (size_t i = 0; i < 5000; i++)
		ck_assert_uint_eq(window[i], i < 100 ? 9 : 7);
	ck_assert_int_eq(ask(FF_WANT_MEMORY, memory, SIZE_MAX),
			 (long)FF_WINDOW_BYTES);
	ck_assert_int_eq(ask(FF_WANT_MEMORY, memory + BYTES - 100, 4096), 100);
	ck_assert_int_eq(ask(FF_WANT_MEMORY, memory + BYTES, 1), -EFAULT);
	ck_assert_int_eq(ask(FF_WANT_MEMORY, memory - 1, 4096), -EFAULT);
	ck_assert_int_eq(ask(FF_WANT_MEMORY, secret, sizeof(secret)), -EFAULT);
	ck_assert_int_eq(ask(FF_WANT_MEMORY, NULL, SIZE_MAX), -EFAULT);
	ck_assert_int_eq(ask(FF_WANT_PAGEMAP, secret, 8), -EFAULT);
}

START_TEST(gives_what_the_child_went_without_and_nothing_else)
{
	begin();
	look_at_answers();
	ck_assert_int_eq(ask(FF_WANT_PAGEMAP, memory, SIZE_MAX),
			 (long)(BYTES / FF_PAGE * sizeof(uint64_t)));
}
END_TEST

START_TEST(does_so_where_nothing_can_be_opened)
{
	begin();
	ff_faults_load("no-mem");
	ck_assert(ff_can_supply());
	look_at_answers();
	ck_assert_int_eq(ask(FF_WANT_PAGEMAP, memory, 8), -EBADF);
	ff_faults_load("no-readv");
	ck_assert(!ff_can_supply());
}
END_TEST

/* As root that has become another user. */
START_TEST(does_so_where_it_is_not_dumpable)
{
	begin();
	ck_assert(!prctl(PR_SET_DUMPABLE, 0));
	if (!getuid())
		ck_assert(!syscall(SYS_setresuid, 65534, 65534, 65534));
	ck_assert_int_eq(open("/proc/self/mem", O_RDONLY | O_CLOEXEC), -1);
	ck_assert(ff_can_supply());
	look_at_answers();
	ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
}
END_TEST

START_TEST(what_can_not_be_read_is_said)
{
	begin();
	ck_assert(!mprotect(memory + 4096, 4096, PROT_NONE));
	ck_assert_int_eq(ask(FF_WANT_MEMORY, memory, 8192), 4096);
	ck_assert_int_eq(ask(FF_WANT_MEMORY, memory + 4096, 8192), -EFAULT);
}
END_TEST

START_TEST(when_another_serves_it_is_silent)
{
	begin();
	put_question(FF_WANT_MEMORY, memory, 4096);
	atomic_store(&said->source, FF_SOURCE_STANDIN);
	ck_assert(!ff_supply_is_asked(&supply));
	supply.who = FF_SOURCE_STANDIN;
	ck_assert(ff_supply_is_asked(&supply));
}
END_TEST

static void *asks_later(void *arg)
{
	usleep(20000);
	put_question(FF_WANT_MEMORY, memory, 4096);
	return arg;
}

static void *takes_over_later(void *arg)
{
	usleep(20000);
	atomic_store(&said->source, FF_SOURCE_STANDIN);
	syscall(SYS_futex, &said->asked, FUTEX_WAKE, 1, NULL, NULL, 0);
	return arg;
}

static void *ends_later(void *arg)
{
	usleep(20000);
	atomic_store(&said->owner, 4711 | FUTEX_OWNER_DIED);
	syscall(SYS_futex, &said->owner, FUTEX_WAKE, 1, NULL, NULL, 0);
	return arg;
}

static void *(*const later[])(void *) = { asks_later, takes_over_later,
					  ends_later };

/* _i: which of them, and whether the kernel can wait for all words. */
START_TEST(it_sleeps_no_longer_than_it_has_to)
{
	const time_t until = time(NULL) + PATIENCE;
	pthread_t thread;

	begin();
	if (_i >= 3)
		ff_faults_load("no-waitv");
	if (_i % 3 == 2)
		atomic_store(&said->state, FF_EXECING);
	atomic_store(&said->owner, 4711);
	ck_assert(!ff_supply_is_asked(&supply));
	ck_assert(!pthread_create(&thread, NULL, later[_i % 3], NULL));
	while (!ff_supply_is_asked(&supply) && said->owner == 4711 &&
	       said->source == FF_SOURCE_PARENT)
		ff_supply_sleep(&supply, 4711,
				(int64_t)2 * PATIENCE * 1000000000);
	ck_assert_int_lt(time(NULL), until);
	pthread_join(thread, NULL);
}
END_TEST

static bool is_marked(uintptr_t address, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long from = 0, to = 0, a, b;
	char line[1024];
	bool is = false;

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &a, &b) == 2) {
			from = a;
			to = b;
		} else if (!strncmp(line, "VmFlags:", 8) && from <= address &&
			   address < to) {
			is = strstr(line, flag) != NULL;
		}
	}
	fclose(f);
	return is;
}

/* H-I5 */
START_TEST(what_was_given_is_nowhere_afterwards)
{
	const unsigned char *window;

	begin();
	window = supply.image->window;
	ck_assert(is_marked((uintptr_t)window, " dd"));
	ck_assert_int_eq(ask(FF_WANT_MEMORY, memory, 8192), 8192);
	ck_assert_uint_eq(window[0], 7);
	slot->supplied = true;
	ff_slot_put(slot);
	for (size_t i = 0; i < FF_WINDOW_BYTES; i++)
		ck_assert_uint_eq(window[i], 0);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests,
		       gives_what_the_child_went_without_and_nothing_else);
	tcase_add_test(tests, does_so_where_nothing_can_be_opened);
	tcase_add_test(tests, does_so_where_it_is_not_dumpable);
	tcase_add_test(tests, what_can_not_be_read_is_said);
	tcase_add_test(tests, when_another_serves_it_is_silent);
	tcase_add_loop_test(tests, it_sleeps_no_longer_than_it_has_to, 0, 6);
	tcase_add_test(tests, what_was_given_is_nowhere_afterwards);
}
