/* Marking areas for the clone and putting them back, whatever reader of the
 * mappings is in use (0: queries, 1: text). */
#include "lazy/parent/marks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/fault.h"
#include "unit.h"

const char unit_subject[] = "areas-mark";

#define K ((size_t)1 << 10)
#define M ((size_t)1 << 20)
#define RW (PROT_READ | PROT_WRITE)
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif
#define ARENA (64 * M)

static char *arena;
static struct ff_areas areas;
static struct ff_keep keep;

static char *map_private(size_t offset, size_t bytes, int prot)
{
	char *p = mmap(arena + offset, bytes, prot,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	ck_assert_ptr_eq(p, arena + offset);
	return p;
}

static void fill(size_t offset, size_t bytes)
{
	memset(arena + offset, 7, bytes);
}

/* Three mappings, one of them in two areas, one read-only. */
static void set_up(int text)
{
	ff_faults = text ? 1U << FF_FAULT_NO_PROCMAP : 0;
	arena = mmap(NULL, ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	ck_assert_ptr_ne(arena, MAP_FAILED);
	keep.stack = (uintptr_t)__builtin_frame_address(0);
	map_private(1 * M, 8 * M, RW);
	map_private(10 * M, 2 * M, RW);
	map_private(12 * M, 2 * M, RW);
	mprotect(arena + 12 * M, 2 * M, PROT_READ);
	fill(M, 3 * M);
	fill(10 * M, 2 * M);
	keep.range[0] = (struct ff_range){ (uintptr_t)arena + 4 * M,
					   (uintptr_t)arena + 5 * M };
	keep.count = 1;
	ck_assert_int_eq(ff_areas_collect(&areas, &keep), 0);
	ck_assert_uint_eq(areas.count, 4);
}

/* "START-END" in hexadecimal at the start of a line. */
static bool parse_range(const char *line, unsigned long *start,
			unsigned long *end)
{
	char *at;

	*start = strtoul(line, &at, 16);
	if (at == line || *at != '-')
		return false;
	*end = strtoul(at + 1, &at, 16);
	return *at == ' ';
}

/* The arena in smaps: a line per mapping, address range and VmFlags. */
static const char *flags(char *text, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long start, end, s, e;
	char line[512];
	size_t used = 0;

	ck_assert_ptr_nonnull(f);
	start = end = 0;
	text[0] = '\0';
	while (fgets(line, sizeof(line), f)) {
		if (parse_range(line, &s, &e)) {
			start = s;
			end = e;
		} else if (!strncmp(line, "VmFlags:", 8) &&
			   start >= (uintptr_t)arena &&
			   end <= (uintptr_t)arena + ARENA) {
			used += (size_t)snprintf(text + used, size - used,
						 "%lx-%lx%s", start, end,
						 line + 8);
			ck_assert_uint_lt(used, size);
		}
	}
	fclose(f);
	return text;
}

static char before[8192], during[8192], after[8192];

/* Bytes that are marked, and nothing of what is kept. */
static size_t marked(const char *text)
{
	unsigned long start, end;
	size_t sum = 0;
	const char *line;

	for (line = text; *line; line = strchr(line, '\n') + 1) {
		const char *dc = strstr(line, " dc ");

		if (!dc || dc > strchr(line, '\n'))
			continue;
		ck_assert(parse_range(line, &start, &end));
		ck_assert(end <= keep.range[0].start ||
			  start >= keep.range[0].end);
		sum += end - start;
	}
	return sum;
}

START_TEST(marks_stand_on_the_areas_and_go_without_a_trace)
{
	set_up(_i);
	flags(before, sizeof(before));
	ck_assert_uint_eq(marked(before), 0);
	for (int round = 0; round < 3; round++) {
		ck_assert_int_eq(ff_areas_mark(&areas, round > 0), 0);
		ck_assert_uint_eq(areas.count, 4);
		flags(during, sizeof(during));
		ck_assert_uint_eq(marked(during), areas.absent_bytes);
		ff_areas_unmark(&areas, true, &keep);
		ck_assert_str_eq(flags(after, sizeof(after)), before);
	}
}
END_TEST

START_TEST(a_child_is_born_without_what_is_marked_and_with_the_rest)
{
	unsigned char there;
	int status;
	pid_t pid;

	set_up(_i);
	ck_assert_int_eq(ff_areas_mark(&areas, true), 0);
	pid = fork();
	if (pid == 0) {
		for (unsigned i = 0; i < areas.count; i++) {
			char *p = (char *)areas.area[i].start;
			char *end = (char *)areas.area[i].end;

			for (; p < end; p += FF_PAGE)
				if (mincore(p, FF_PAGE, &there) == 0)
					_exit(1);
		}
		for (size_t i = 4 * M; i < 5 * M; i += FF_PAGE)
			if (mincore(arena + i, FF_PAGE, &there) ||
			    arena[i] != 0)
				_exit(2);
		_exit(0);
	}
	ff_areas_unmark(&areas, true, &keep);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(what_the_kernel_refuses_is_left_out)
{
	uint64_t bytes;

	set_up(_i);
	bytes = areas.absent_bytes - 2 * M;
	areas.area[2].start++; /* not a page's start: EINVAL */
	areas.absent_bytes--;
	ck_assert_int_eq(ff_areas_mark(&areas, true), 0);
	ck_assert_uint_eq(areas.count, 3);
	ck_assert_uint_eq(areas.absent_bytes, bytes);
	ck_assert_uint_eq(areas.area[2].start, (uintptr_t)arena + 12 * M);
	ck_assert_uint_eq(marked(flags(during, sizeof(during))), bytes);
	ff_areas_unmark(&areas, true, &keep);
	ck_assert_uint_eq(marked(flags(after, sizeof(after))), 0);
}
END_TEST

/* H-N1: what another thread may have done between the list and the marks. */
enum change {
	UNMAPPED,
	PARTLY_UNMAPPED,
	SHARED,
	OF_A_FILE,
	READ_ONLY,
	PARTLY_EXECUTABLE,
	WRITABLE,
	LAST_PAGE_ONLY,
	CHANGES,
};

static void map_over(int flags, int fd)
{
	char *p = mmap(arena + 10 * M, 2 * M, RW, flags | MAP_FIXED, fd, 0);

	ck_assert_ptr_eq(p, arena + 10 * M);
}

static void change(enum change how)
{
	int fd = memfd_create("unit", MFD_CLOEXEC);

	ck_assert_int_eq(ftruncate(fd, (off_t)(8 * M)), 0);
	switch (how) {
	case UNMAPPED:
		munmap(arena + 10 * M, 2 * M);
		break;
	case PARTLY_UNMAPPED:
		munmap(arena + 6 * M, M);
		break;
	case SHARED:
		map_over(MAP_SHARED | MAP_ANONYMOUS, -1);
		break;
	case OF_A_FILE:
		map_over(MAP_PRIVATE, fd);
		break;
	case READ_ONLY:
		mprotect(arena + 10 * M, 2 * M, PROT_READ);
		break;
	case PARTLY_EXECUTABLE:
		mprotect(arena + 11 * M, 4 * K, RW | PROT_EXEC);
		break;
	case WRITABLE:
		mprotect(arena + 12 * M, 2 * M, RW);
		break;
	default:
		mprotect(arena + 9 * M - 4 * K, 4 * K, PROT_NONE);
	}
	close(fd);
}

/* The area that each of them changes. */
static const unsigned changed[CHANGES] = { 2, 1, 2, 2, 2, 2, 3, 1 };

static bool has_flag(const char *flag, const char *text, uintptr_t start,
		     uintptr_t end)
{
	unsigned long s, e;
	const char *line;

	for (line = text; *line; line = strchr(line, '\n') + 1) {
		const char *at = strstr(line, flag);

		ck_assert(parse_range(line, &s, &e));
		if (at && at < strchr(line, '\n') && s < end && start < e)
			return true;
	}
	return false;
}

/* Is any of [start, end) marked? */
static bool is_marked(const char *text, uintptr_t start, uintptr_t end)
{
	return has_flag(" dc ", text, start, end);
}

START_TEST(memory_that_changed_meanwhile_is_left_out)
{
	unsigned out = changed[_i % CHANGES];
	struct ff_areas was;
	struct ff_area a;

	set_up(_i / CHANGES);
	was = areas;
	a = was.area[out];
	change((enum change)(_i % CHANGES));
	ck_assert_int_eq(ff_areas_mark(&areas, true), 0);
	ck_assert_uint_eq(areas.count, 3);
	for (unsigned i = 0, j = 0; i < was.count; i++) {
		if (i == out)
			continue;
		ck_assert_uint_eq(areas.area[j].start, was.area[i].start);
		ck_assert_uint_eq(areas.area[j].end, was.area[i].end);
		ck_assert_uint_eq(areas.area[j].prot, was.area[i].prot);
		j++;
	}
	ck_assert_uint_eq(areas.absent_bytes,
			  was.absent_bytes - (a.end - a.start));
	flags(during, sizeof(during));
	ck_assert(!is_marked(during, a.start, a.end));
	ck_assert_uint_eq(marked(during), areas.absent_bytes);
	ff_areas_unmark(&areas, true, &keep);
	ck_assert_uint_eq(marked(flags(after, sizeof(after))), 0);
}
END_TEST

/* H-N2: realloc() has moved an area, next to what refuses to have its mark taken
 * away (MAP_DROPPABLE, where the kernel has it). */
START_TEST(a_mark_that_has_moved_is_taken_away)
{
	const bool wiped = _i / 2;
	uintptr_t moved;

	set_up(_i % 2);
	moved = (uintptr_t)arena + 30 * M;
	areas.wiped = wiped;
	map_private(26 * M, 2 * M, RW);
	mmap(arena + 28 * M, 2 * M, RW,
	     MAP_DROPPABLE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ck_assert_int_eq(ff_areas_mark(&areas, true), 0);
	ck_assert_ptr_eq(mremap(arena + 10 * M, 2 * M, 2 * M,
				MREMAP_MAYMOVE | MREMAP_FIXED, arena + 30 * M),
			 arena + 30 * M);
	flags(during, sizeof(during));
	ck_assert(has_flag(wiped ? " wf " : " dc ", during, moved,
			   moved + 2 * M));
	ff_areas_unmark(&areas, true, &keep);
	flags(after, sizeof(after));
	ck_assert(!has_flag(" dc ", after, 0, UINTPTR_MAX));
	ck_assert(!has_flag(" wf ", after, moved, UINTPTR_MAX));
	ck_assert(!has_flag(" wf ", after, 0, moved - 2 * M));
}
END_TEST

START_TEST(all_may_have_changed)
{
	set_up(_i);
	mprotect(arena, 16 * M, PROT_NONE);
	ck_assert_int_eq(ff_areas_mark(&areas, true), 0);
	ck_assert_uint_eq(areas.count, 0);
	ck_assert_uint_eq(areas.absent_bytes, 0);
	ck_assert_uint_eq(marked(flags(after, sizeof(after))), 0);
}
END_TEST

START_TEST(what_changed_elsewhere_does_not_matter)
{
	set_up(_i);
	munmap(arena + 4 * M, M); /* kept anyway */
	mprotect(arena + 9 * M, M, RW);
	map_private(20 * M, 2 * M, RW);
	ck_assert_int_eq(ff_areas_mark(&areas, true), 0);
	ff_areas_unmark(&areas, true, &keep);
	ck_assert_uint_eq(marked(flags(after, sizeof(after))), 0);
}
END_TEST

static void __attribute__((noinline)) litter_stack(int value)
{
	volatile int litter[2048];

	for (size_t i = 0; i < sizeof(litter) / sizeof(*litter); i++)
		litter[i] = value;
}

START_TEST(without_a_free_descriptor_nothing_is_marked_and_none_closed)
{
	struct rlimit limit, none = { 0 };
	int victim, rc;

	set_up(_i);
	victim = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(victim, 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	none.rlim_max = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	litter_stack(victim);
	rc = ff_areas_mark(&areas, true);
	setrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_int_eq(rc, -EMFILE);
	ck_assert_uint_eq(marked(flags(after, sizeof(after))), 0);
	ck_assert_msg(fcntl(victim, F_GETFD) >= 0,
		      "the program's descriptor %d was closed", victim);
}
END_TEST

/* In an empty root directory there is no /proc. */
START_TEST(without_a_list_of_mappings_nothing_is_marked)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), there, rc;
	const char *empty = unit_path();

	set_up(_i);
	ck_assert_int_eq(mkdir(empty, 0700), 0);
	there = chroot(empty);
	ck_assert(there == 0 || errno == EPERM);
	rc = there == 0 ? ff_areas_mark(&areas, true) : -ENOENT;
	if (there == 0)
		ck_assert(fchdir(root) == 0 && chroot(".") == 0);
	rmdir(empty);
	ck_assert_int_eq(rc, -ENOENT);
	ck_assert_uint_eq(marked(flags(after, sizeof(after))), 0);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_loop_test(
		tests, marks_stand_on_the_areas_and_go_without_a_trace, 0, 2);
	tcase_add_loop_test(
		tests, a_child_is_born_without_what_is_marked_and_with_the_rest,
		0, 2);
	tcase_add_loop_test(tests, what_the_kernel_refuses_is_left_out, 0, 2);
	tcase_add_loop_test(tests, memory_that_changed_meanwhile_is_left_out, 0,
			    2 * CHANGES);
	tcase_add_loop_test(tests, a_mark_that_has_moved_is_taken_away, 0, 4);
	tcase_add_loop_test(tests, what_changed_elsewhere_does_not_matter, 0,
			    2);
	tcase_add_loop_test(
		tests,
		without_a_free_descriptor_nothing_is_marked_and_none_closed, 0,
		2);
	tcase_add_loop_test(tests, all_may_have_changed, 0, 2);
	tcase_add_loop_test(tests, without_a_list_of_mappings_nothing_is_marked,
			    0, 2);
}
