/* The list of mappings: the two ways to read it, and what stdio reads. */
#include "host/maps.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/fault.h"
#include "unit.h"

const char unit_subject[] = "maps";

#define LIST_MAX 8192
#define PAGE ((size_t)4096)

struct list {
	unsigned count;
	bool text;
	struct ff_mapping m[LIST_MAX];
};

/* Not in the heap, which would change between two lists. */
static struct list by_query, by_text, by_stdio;

/* The vsyscall page is no mapping of the process: only the text has it. */
static bool is_kernels(uintptr_t address)
{
	return address >> 63;
}

static void add(struct list *list, const struct ff_mapping *m)
{
	ck_assert_uint_lt(list->count, LIST_MAX);
	if (!is_kernels(m->start))
		list->m[list->count++] = *m;
}

static void read_list(struct list *list, bool text)
{
	struct ff_maps maps;
	struct ff_mapping m;
	int rc;

	list->count = 0;
	ff_faults = text ? 1U << FF_FAULT_NO_PROCMAP : 0;
	ck_assert_int_eq(ff_maps_open(&maps), 0);
	while ((rc = ff_maps_next(&maps, &m)) > 0)
		add(list, &m);
	list->text = maps.text;
	ff_maps_close(&maps);
	ck_assert_int_eq(rc, 0);
}

static void read_by_stdio(struct list *list)
{
	static char buffer[1 << 16], line[8192];
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned long start, end, inode, major, minor;
	char *flags, *s;

	ck_assert_ptr_nonnull(f);
	setvbuf(f, buffer, _IOFBF, sizeof(buffer));
	list->count = 0;
	while (fgets(line, sizeof(line), f)) {
		struct ff_mapping m;

		start = strtoul(line, &s, 16);
		end = strtoul(s + 1, &s, 16);
		flags = s + 1;
		strtoul(flags + 5, &s, 16);
		major = strtoul(s + 1, &s, 16);
		minor = strtoul(s + 1, &s, 16);
		inode = strtoul(s + 1, &s, 10);
		ck_assert(*s == ' ' || *s == '\n');
		m.start = start;
		m.end = end;
		m.prot = (flags[0] == 'r' ? PROT_READ : 0) |
			 (flags[1] == 'w' ? PROT_WRITE : 0) |
			 (flags[2] == 'x' ? PROT_EXEC : 0);
		m.shared = flags[3] == 's';
		m.anonymous = !inode && !major && !minor;
		add(list, &m);
	}
	fclose(f);
}

static void assert_same(const struct list *a, const struct list *b)
{
	for (unsigned i = 0; i < a->count && i < b->count; i++) {
		ck_assert_uint_eq(a->m[i].start, b->m[i].start);
		ck_assert_uint_eq(a->m[i].end, b->m[i].end);
		ck_assert_uint_eq(a->m[i].prot, b->m[i].prot);
		ck_assert_int_eq(a->m[i].shared, b->m[i].shared);
		ck_assert_int_eq(a->m[i].anonymous, b->m[i].anonymous);
	}
	ck_assert_uint_eq(a->count, b->count);
}

static const struct ff_mapping *at(const struct list *list, const void *address)
{
	for (unsigned i = 0; i < list->count; i++)
		if (list->m[i].start == (uintptr_t)address)
			return &list->m[i];
	ck_abort_msg("%p is in no list", address);
}

static void *map(size_t bytes, int prot, int flags, int fd)
{
	void *p = mmap(NULL, bytes, prot, flags, fd, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	return p;
}

/* Every other page of the range gets another protection. */
static void map_stripes(unsigned count)
{
	char *p = map(2 * count * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1);

	for (unsigned i = 0; i < count; i++)
		mprotect(p + 2 * i * PAGE, PAGE, (int)(i % 2) * PROT_WRITE);
}

static void read_all(void)
{
	fclose(fopen("/proc/self/maps", "re")); /* the heap has its size */
	read_list(&by_query, false);
	read_list(&by_text, true);
	ck_assert(by_text.text);
	if (by_query.text)
		puts("this kernel has no PROCMAP_QUERY: both lists are text");
	read_by_stdio(&by_stdio);
}

START_TEST(both_ways_give_the_same_list)
{
	read_all();
	assert_same(&by_text, &by_stdio);
	assert_same(&by_query, &by_text);
	ck_assert_uint_gt(by_query.count, 10);
}
END_TEST

START_TEST(kinds_of_mappings_are_told_apart)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int memory =
		memfd_create("a name\nof two lines (deleted)", MFD_CLOEXEC);
	const int rw = PROT_READ | PROT_WRITE;
	const struct {
		void *address;
		unsigned prot;
		bool shared, anonymous;
	} want[] = {
		{ map(PAGE, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1), rw, false,
		  true },
		{ map(PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1), 0,
		  false, true },
		{ map(PAGE, rw | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1),
		  rw | PROT_EXEC, false, true },
		{ map(PAGE, PROT_READ, MAP_PRIVATE, file), PROT_READ, false,
		  false },
		{ map(PAGE, PROT_READ, MAP_SHARED, file), PROT_READ, true,
		  false },
		/* Shared anonymous memory is a file of the kernel's. */
		{ map(PAGE, rw, MAP_SHARED | MAP_ANONYMOUS, -1), rw, true,
		  false },
		{ map(PAGE, rw, MAP_SHARED, memory), rw, true, false },
		{ map(PAGE, rw, MAP_PRIVATE, memory), rw, false, false },
	};

	read_all();
	assert_same(&by_text, &by_stdio);
	assert_same(&by_query, &by_text);
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		const struct ff_mapping *m = at(&by_query, want[i].address);

		ck_assert_uint_eq(m->prot, want[i].prot);
		ck_assert_int_eq(m->shared, want[i].shared);
		ck_assert_int_eq(m->anonymous, want[i].anonymous);
	}
}
END_TEST

/* The text is far longer than the reader's buffer. */
START_TEST(a_long_list_is_whole)
{
	map_stripes(1500);
	read_all();
	assert_same(&by_text, &by_stdio);
	assert_same(&by_query, &by_text);
	ck_assert_uint_gt(by_query.count, 2900);
}
END_TEST

START_TEST(a_query_can_start_at_any_address)
{
	struct ff_maps maps;
	struct ff_mapping m;
	char *p = map(4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	mprotect(p, PAGE, PROT_NONE);
	mprotect(p + 3 * PAGE, PAGE, PROT_NONE);
	ck_assert_int_eq(ff_maps_open(&maps), 0);
	ck_assert_int_eq(ff_maps_next(&maps, &m), 1);
	if (!maps.text) {
		maps.next = (uintptr_t)p + 2 * PAGE + 5;
		ck_assert_int_eq(ff_maps_next(&maps, &m), 1);
		ck_assert_uint_eq(m.start, (uintptr_t)p + PAGE);
		ck_assert_uint_eq(m.end, (uintptr_t)p + 3 * PAGE);
	}
	ff_maps_close(&maps);
}
END_TEST

START_TEST(no_descriptor_is_left)
{
	int before = dup(0), after;

	close(before);
	read_list(&by_query, false);
	read_list(&by_text, true);
	after = dup(0);
	ck_assert_int_eq(after, before);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, both_ways_give_the_same_list);
	tcase_add_test(tests, kinds_of_mappings_are_told_apart);
	tcase_add_test(tests, a_long_list_is_whole);
	tcase_add_test(tests, a_query_can_start_at_any_address);
	tcase_add_test(tests, no_descriptor_is_left);
}
