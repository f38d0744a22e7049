/* Which areas are listed. How they are marked: areas_mark.c. */
#include "lazy/areas.h"
#include "process/noted.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"

const char unit_subject[] = "areas";

#define K ((size_t)1 << 10)
#define M ((size_t)1 << 20)
#define RW (PROT_READ | PROT_WRITE)

/* All areas of the test's own lie in a range that is else inaccessible. */
static char *arena;
static size_t arena_bytes;
static struct ff_areas areas;
static struct ff_keep keep;

static char *map_at(size_t offset, size_t bytes, int prot, int flags, int fd)
{
	char *p = mmap(arena + offset, bytes, prot,
		       flags | MAP_FIXED | MAP_NORESERVE, fd, 0);

	ck_assert_ptr_eq(p, arena + offset);
	return p;
}

static char *map_private(size_t offset, size_t bytes, int prot)
{
	return map_at(offset, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void make_arena(size_t bytes)
{
	arena = mmap(NULL, bytes, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(arena, MAP_FAILED);
	arena_bytes = bytes;
	keep.stack = (uintptr_t)__builtin_frame_address(0);
}

static void add_keep(const char *start, size_t bytes)
{
	keep.range[keep.count++] =
		(struct ff_range){ (uintptr_t)start, (uintptr_t)start + bytes };
}

static bool in_arena(uintptr_t address)
{
	return address - (uintptr_t)arena < arena_bytes;
}

static void collect(void)
{
	uint64_t sum = 0;

	ck_assert_int_eq(ff_areas_collect(&areas, &keep), 0);
	for (unsigned i = 0; i < areas.count; i++) {
		ck_assert_uint_lt(areas.area[i].start, areas.area[i].end);
		ck_assert(i == 0 ||
			  areas.area[i - 1].end <= areas.area[i].start);
		sum += areas.area[i].end - areas.area[i].start;
	}
	ck_assert_uint_eq(areas.absent_bytes, sum);
}

/* The areas of the arena are these: start, bytes, protection. */
struct want {
	size_t offset, bytes;
	unsigned prot;
};

static void expect_areas(const struct want *want, unsigned count)
{
	unsigned seen = 0;

	collect();
	for (unsigned i = 0; i < areas.count; i++) {
		const struct ff_area *a = &areas.area[i];

		if (!in_arena(a->start))
			continue;
		ck_assert_uint_lt(seen, count);
		ck_assert_uint_eq(a->start - (uintptr_t)arena,
				  want[seen].offset);
		ck_assert_uint_eq(a->end - a->start, want[seen].bytes);
		ck_assert_uint_eq(a->prot, want[seen].prot);
		seen++;
	}
	ck_assert_uint_eq(seen, count);
}

#define EXPECT(...)                                                  \
	do {                                                         \
		const struct want want_[] = { __VA_ARGS__ };         \
		expect_areas(want_, sizeof(want_) / sizeof(*want_)); \
	} while (0)
#define EXPECT_NONE() expect_areas(NULL, 0)

START_TEST(a_mebibyte_is_the_least)
{
	make_arena(16 * M);
	map_private(1 * M, M - 4 * K, RW);
	EXPECT_NONE();
	map_private(4 * M, M, RW);
	map_private(8 * M, M + 4 * K, RW);
	EXPECT({ 4 * M, M, RW }, { 8 * M, M + 4 * K, RW });
}
END_TEST

START_TEST(private_anonymous_readable_memory_is_listed)
{
	make_arena(32 * M);
	map_private(1 * M, M, PROT_READ);
	map_private(3 * M, M, RW | PROT_EXEC);
	map_private(5 * M, M, PROT_NONE);
	map_private(7 * M, M, PROT_WRITE);
	map_private(9 * M, 2 * M, RW);
	EXPECT({ 1 * M, M, PROT_READ }, { 3 * M, M, RW | PROT_EXEC },
	       { 9 * M, 2 * M, RW });
}
END_TEST

START_TEST(memory_of_files_is_not_listed)
{
	int fd = memfd_create("unit", MFD_CLOEXEC);

	make_arena(32 * M);
	ck_assert_int_eq(ftruncate(fd, (off_t)(4 * M)), 0);
	map_at(1 * M, 4 * M, RW, MAP_PRIVATE, fd);
	map_at(6 * M, 4 * M, PROT_READ, MAP_SHARED, fd);
	EXPECT_NONE();
	ck_assert_uint_eq(areas.shared_count, 0);
}
END_TEST

START_TEST(writable_shared_memory_is_watched)
{
	const char *a, *b;

	make_arena(32 * M);
	a = map_at(1 * M, 4 * K, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
	b = map_at(3 * M, 4 * M, PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
	map_at(8 * M, 4 * M, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1);
	EXPECT_NONE();
	ck_assert_uint_eq(areas.shared_count, 2);
	ck_assert_uint_eq(areas.shared[0].start, (uintptr_t)a);
	ck_assert_uint_eq(areas.shared[0].end, (uintptr_t)a + 4 * K);
	ck_assert_uint_eq(areas.shared[1].start, (uintptr_t)b);
	ck_assert_uint_eq(areas.shared[1].end, (uintptr_t)b + 4 * M);
}
END_TEST

START_TEST(our_own_shared_memory_is_not_watched)
{
	const char *a, *b, *c;

	make_arena(4 * M);
	a = map_at(1 * M, 4 * K, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
	b = map_at(2 * M, 8 * K, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
	c = map_at(3 * M, 4 * K, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
	add_keep(a, 4 * K);
	add_keep(b, 4 * K); /* half of it is not ours */
	keep.ours = keep.count;
	add_keep(c, 4 * K); /* kept, like a stack, but not ours */
	collect();
	ck_assert_uint_eq(areas.shared_count, 2);
	ck_assert_uint_eq(areas.shared[0].start, (uintptr_t)b);
	ck_assert_uint_eq(areas.shared[0].end, (uintptr_t)b + 8 * K);
	ck_assert_uint_eq(areas.shared[1].start, (uintptr_t)c);
}
END_TEST

START_TEST(the_mapping_of_the_stack_is_left_whole)
{
	make_arena(32 * M);
	map_private(1 * M, 8 * M, RW);
	map_private(10 * M, 8 * M, RW);
	keep.stack = (uintptr_t)arena + 3 * M;
	EXPECT({ 10 * M, 8 * M, RW });
	keep.stack = (uintptr_t)arena + 18 * M; /* the byte behind it */
	EXPECT({ 1 * M, 8 * M, RW }, { 10 * M, 8 * M, RW });
	keep.stack--;
	EXPECT({ 1 * M, 8 * M, RW });
}
END_TEST

START_TEST(kept_ranges_are_cut_out_wherever_they_lie)
{
	make_arena(32 * M);
	map_private(1 * M, 8 * M, RW);
	add_keep(arena + 3 * M, 64 * K); /* the middle; unsorted */
	add_keep(arena, 2 * M);		 /* over the start */
	EXPECT({ 2 * M, M, RW }, { 3 * M + 64 * K, 6 * M - 64 * K, RW });
	add_keep(arena + 8 * M, M);  /* up to the end */
	add_keep(arena + 20 * M, M); /* elsewhere */
	EXPECT({ 2 * M, M, RW }, { 3 * M + 64 * K, 5 * M - 64 * K, RW });
	add_keep(arena + 3 * M - 4 * K, M);	/* over another one */
	add_keep(arena + 3 * M + 4 * K, 4 * K); /* within one */
	EXPECT({ 2 * M, M - 4 * K, RW }, { 4 * M - 4 * K, 4 * M + 4 * K, RW });
	add_keep(arena + M, 8 * M); /* all of it */
	EXPECT_NONE();
}
END_TEST

START_TEST(one_kept_range_can_lie_in_two_mappings)
{
	make_arena(32 * M);
	map_private(1 * M, 2 * M, RW);
	map_private(3 * M, 2 * M, PROT_READ);
	add_keep(arena + 3 * M - 8 * K, 16 * K);
	EXPECT({ 1 * M, 2 * M - 8 * K, RW },
	       { 3 * M + 8 * K, 2 * M - 8 * K, PROT_READ });
}
END_TEST

START_TEST(small_pieces_between_kept_ranges_are_not_worth_it)
{
	make_arena(32 * M);
	map_private(1 * M, 2 * M, RW);
	add_keep(arena + M + 60 * K, 4 * K);  /* 60 KiB before it */
	add_keep(arena + M + 128 * K, 4 * K); /* 64 KiB between */
	add_keep(arena + M + 192 * K, 4 * K); /* 60 KiB between */
	EXPECT({ M + 64 * K, 64 * K, RW },
	       { M + 196 * K, 2 * M - 196 * K, RW });
}
END_TEST

static void warm(size_t offset)
{
	keep.warm.cluster[keep.warm.count++] = (uintptr_t)arena + offset;
}

/* In any order; a gap that costs more than it saves is left in. */
START_TEST(warm_clusters_are_left_out)
{
	make_arena(32 * M);
	map_private(1 * M, 8 * M, RW);
	warm(5 * M);
	EXPECT({ 1 * M, 4 * M, RW }, { 5 * M + 64 * K, 4 * M - 64 * K, RW });
	warm(3 * M);
	warm(3 * M + 320 * K); /* 256 KiB between */
	EXPECT({ 1 * M, 2 * M, RW }, { 3 * M + 384 * K, 2 * M - 384 * K, RW },
	       { 5 * M + 64 * K, 4 * M - 64 * K, RW });
	warm(5 * M + 384 * K); /* 320 KiB between */
	warm(20 * M);	       /* gone since */
	EXPECT({ 1 * M, 2 * M, RW }, { 3 * M + 384 * K, 2 * M - 384 * K, RW },
	       { 5 * M + 64 * K, 320 * K, RW },
	       { 5 * M + 448 * K, 4 * M - 448 * K, RW });
}
END_TEST

START_TEST(what_is_kept_and_warm_is_left_out_once)
{
	make_arena(32 * M);
	map_private(1 * M, 8 * M, RW);
	add_keep(arena + 3 * M - 4 * K, 8 * K);
	warm(3 * M);
	warm(2 * M);
	add_keep(arena + 6 * M, 4 * K);
	EXPECT({ 1 * M, 1 * M, RW }, { 2 * M + 64 * K, 956 * K, RW },
	       { 3 * M + 64 * K, 3 * M - 64 * K, RW },
	       { 6 * M + 4 * K, 3 * M - 4 * K, RW });
}
END_TEST

/* Only what is ours is no business of the child's: not all that is near. */
START_TEST(shared_memory_between_warm_clusters_is_watched)
{
	make_arena(32 * M);
	map_at(3 * M + 64 * K, 64 * K, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
	warm(3 * M);
	warm(3 * M + 128 * K);
	collect();
	for (unsigned i = 0; i < areas.shared_count; i++)
		if (areas.shared[i].start == (uintptr_t)arena + 3 * M + 64 * K)
			return;
	ck_abort_msg("not watched");
}
END_TEST

/* Two small mappings that the kernel merged are one big one; what is kept of
 * them stays kept. */
START_TEST(adjacent_mappings_that_merge_are_one_area)
{
	make_arena(32 * M);
	map_private(1 * M, 768 * K, RW);
	map_private(1 * M + 768 * K, 128 * K, RW);
	map_private(1 * M + 896 * K, 768 * K, RW);
	EXPECT({ M, M + 640 * K, RW });
	add_keep(arena + 1 * M + 768 * K, 128 * K);
	EXPECT({ M, 768 * K, RW }, { M + 896 * K, 768 * K, RW });
}
END_TEST

static int by_size(const void *a, const void *b)
{
	const struct want *x = a, *y = b;

	return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static int by_offset(const void *a, const void *b)
{
	const struct want *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

#define MANY 1200

/* Sizes in no order, in one order and in the other. */
static size_t pages_of(int order, unsigned i)
{
	return order == 0 ? i * 769 % MANY : order == 1 ? i : MANY - 1 - i;
}

START_TEST(of_more_areas_than_the_table_holds_the_largest_stay)
{
	static struct want want[MANY];
	size_t slot = 8 * M;

	make_arena(MANY * slot);
	EXPECT_NONE();
	ck_assert_uint_eq(areas.count, 0); /* no others are there */
	for (unsigned i = 0; i < MANY; i++) {
		want[i] = (struct want){ i * slot, M + 4 * K * pages_of(_i, i),
					 RW };
		map_private(want[i].offset, want[i].bytes, RW);
	}
	qsort(want, MANY, sizeof(*want), by_size);
	qsort(want + MANY - FF_AREAS_MAX, FF_AREAS_MAX, sizeof(*want),
	      by_offset);
	expect_areas(want + MANY - FF_AREAS_MAX, FF_AREAS_MAX);
}
END_TEST

START_TEST(too_much_shared_memory_to_watch_is_said)
{
	make_arena(FF_SHARED_MAX * 8 * K + M);
	for (unsigned i = 0; i < FF_SHARED_MAX; i++)
		map_at(i * 8 * K, 4 * K, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
	ck_assert_int_eq(ff_areas_collect(&areas, &keep), 0);
	ck_assert_uint_eq(areas.shared_count, FF_SHARED_MAX);
	map_at(FF_SHARED_MAX * 8 * K + 512 * K, 4 * K, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
	ck_assert_int_eq(ff_areas_collect(&areas, &keep), -ENOSPC);
}
END_TEST

START_TEST(a_sanitizers_shadow_memory_is_said)
{
	make_arena((size_t)5 << 40);
	map_private(0, (size_t)4 << 40, PROT_NONE);
	ck_assert_int_eq(ff_areas_collect(&areas, &keep), 0);
	map_private(0, ((size_t)4 << 40) - 4 * K, RW);
	ck_assert_int_eq(ff_areas_collect(&areas, &keep), 0);
	map_private(0, (size_t)4 << 40, RW);
	ck_assert_int_eq(ff_areas_collect(&areas, &keep), -EOVERFLOW);
}
END_TEST

static void note(size_t offset, size_t bytes, bool wiped)
{
	const uintptr_t at = (uintptr_t)arena + offset;

	ff_noted_add(at, at + bytes, wiped);
}

static void drop(size_t offset, size_t bytes)
{
	const uintptr_t at = (uintptr_t)arena + offset;

	ff_noted_drop(at, at + bytes);
}

START_TEST(what_the_program_advised_on_is_left_to_the_kernel)
{
	make_arena(32 * M);
	map_private(1 * M, M, RW);
	map_private(3 * M, M, RW);
	map_private(5 * M, M, RW);
	map_private(7 * M, M, RW);
	note(M, M, false);
	note(5 * M + 512 * K, 4 * K, true); /* part of it */
	EXPECT({ 3 * M, M, RW }, { 7 * M, M, RW });
	note(8 * M, M, false); /* just behind */
	note(2 * M, M, true);  /* just before */
	EXPECT({ 3 * M, M, RW }, { 7 * M, M, RW });
	ff_noted_take_back((uintptr_t)arena, (uintptr_t)arena + 6 * M, false);
	EXPECT({ M, M, RW }, { 3 * M, M, RW }, { 7 * M, M, RW });
	drop(5 * M, M);
	EXPECT({ M, M, RW }, { 3 * M, M, RW }, { 5 * M, M, RW },
	       { 7 * M, M, RW });
}
END_TEST

START_TEST(notes_follow_what_they_are_about)
{
	uintptr_t at;

	make_arena(32 * M);
	at = (uintptr_t)arena;
	note(M, 4 * M, true);
	drop(2 * M, M); /* out of the middle */
	ck_assert(ff_noted_wiped(at + M, at + M + 1));
	ck_assert(!ff_noted_wiped(at + 2 * M, at + 3 * M));
	ck_assert(ff_noted_wiped(at + 5 * M - 1, at + 6 * M));
	ff_noted_copy(at + M, at + 2 * M, at + 8 * M, at + 10 * M);
	drop(M, M);
	ck_assert(!ff_noted_wiped(at, at + 3 * M));
	ck_assert(ff_noted_wiped(at + 9 * M, at + 10 * M));
	/* of memory without notes, over what had some */
	ff_noted_copy(at + 20 * M, at + 21 * M, at + 9 * M, at + 10 * M);
	ck_assert(!ff_noted_wiped(at + 9 * M, at + 10 * M));
	ck_assert(ff_noted_wiped(at + 8 * M, at + 9 * M));
	note(8 * M, M, false);
	ck_assert(!ff_noted_wiped(at + 20 * M, at + 21 * M));
	ff_noted_take_back(at + 8 * M, at + 9 * M, true);
	ck_assert(!ff_noted_wiped(at + 8 * M, at + 9 * M));
	ck_assert(ff_noted_any_in(at + 8 * M, at + 9 * M));
}
END_TEST

START_TEST(too_much_to_be_wiped_leaves_everything_to_the_kernel)
{
	make_arena(32 * M);
	map_private(1 * M, M, RW);
	for (unsigned i = 0; i < 1000; i++)
		note(16 * M + i * 8 * K, 4 * K, false);
	EXPECT({ M, M, RW });
	note(16 * M + 4 * K, 4 * K, true);
	EXPECT_NONE();
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, a_mebibyte_is_the_least);
	tcase_add_test(tests, private_anonymous_readable_memory_is_listed);
	tcase_add_test(tests, memory_of_files_is_not_listed);
	tcase_add_test(tests, writable_shared_memory_is_watched);
	tcase_add_test(tests, our_own_shared_memory_is_not_watched);
	tcase_add_test(tests, the_mapping_of_the_stack_is_left_whole);
	tcase_add_test(tests, kept_ranges_are_cut_out_wherever_they_lie);
	tcase_add_test(tests, one_kept_range_can_lie_in_two_mappings);
	tcase_add_test(tests,
		       small_pieces_between_kept_ranges_are_not_worth_it);
	tcase_add_test(tests, warm_clusters_are_left_out);
	tcase_add_test(tests, what_is_kept_and_warm_is_left_out_once);
	tcase_add_test(tests, shared_memory_between_warm_clusters_is_watched);
	tcase_add_test(tests, adjacent_mappings_that_merge_are_one_area);
	tcase_add_loop_test(tests,
			    of_more_areas_than_the_table_holds_the_largest_stay,
			    0, 3);
	tcase_add_test(tests, too_much_shared_memory_to_watch_is_said);
	tcase_add_test(tests, a_sanitizers_shadow_memory_is_said);
	tcase_add_test(tests,
		       what_the_program_advised_on_is_left_to_the_kernel);
	tcase_add_test(tests, notes_follow_what_they_are_about);
	tcase_add_test(tests,
		       too_much_to_be_wiped_leaves_everything_to_the_kernel);
}
