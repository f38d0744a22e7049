/* What a committed child is born without, where other threads have changed what
 * was marked. */
#include <errno.h>
#include <string.h>

#include "pattern.h"
#include "unit.h"

const char unit_subject[] = "census";

#define ENDS (4 * M) /* of the three areas, with a hole behind each */

static void lose_three(void)
{
	make_arena();
	for (size_t i = 0; i < 3; i++)
		lose_at(i * ENDS, 2 * M, RW);
	lose_by_wiping();
}

static void move(size_t from, size_t to, size_t bytes)
{
	ck_assert_ptr_eq(mremap(arena + from, bytes, bytes,
				MREMAP_MAYMOVE | MREMAP_FIXED, arena + to),
			 arena + to);
}

static void none_is_there_yet(void)
{
	for (size_t i = 0; i < 3; i++)
		CHILD_ASSERT(absent(i * ENDS, 2 * M) == 2 * M, "area %zu", i);
	for (size_t i = 0; i < 3; i++)
		holds_pattern(i * ENDS, 2 * M);
}

START_TEST(what_is_as_it_was_marked_is_absent)
{
	lose_three();
	run_committed(none_is_there_yet);
}
END_TEST

static void holds_moved(size_t from, size_t to, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		CHILD_ASSERT(arena[to + i] == byte_at(from + i), "byte %zx", i);
}

static void moved_is_there(void)
{
	CHILD_ASSERT(absent(0, 2 * M) == 2 * M, "the first");
	CHILD_ASSERT(absent(ENDS, 2 * M) == 0, "gone");
	CHILD_ASSERT(!is_accessible(arena + ENDS), "nothing is there");
	CHILD_ASSERT(absent(3 * ENDS, 2 * M) == 0, "not by fault");
	holds_moved(ENDS, 3 * ENDS, 2 * M);
	holds_pattern(0, 2 * M);
	holds_pattern(2 * ENDS, 2 * M);
}

START_TEST(what_has_moved_is_read_where_it_is)
{
	lose_three();
	move(ENDS, 3 * ENDS, 2 * M);
	run_committed(moved_is_there);
}
END_TEST

static void others_are_there(void)
{
	holds_pattern(0, 2 * M);
	for (size_t i = 0; i < 2 * M; i++)
		CHILD_ASSERT(arena[ENDS + i] == 'n', "byte %zx", i);
	holds_moved(ENDS, 3 * ENDS, 2 * M);
	holds_pattern(2 * ENDS, 2 * M);
}

/* The same length at the same place, but not marked. */
START_TEST(what_was_mapped_in_its_place_was_copied)
{
	lose_three();
	move(ENDS, 3 * ENDS, 2 * M);
	ck_assert_ptr_ne(mmap(arena + ENDS, 2 * M, RW,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
			 MAP_FAILED);
	memset(arena + ENDS, 'n', 2 * M);
	run_committed(others_are_there);
}
END_TEST

static void pieces_are_there(void)
{
	holds_pattern(0, 64 * K);
	CHILD_ASSERT(!is_accessible(arena + 64 * K), "cut out");
	holds_pattern(M, M);
	holds_pattern(ENDS, 2 * M);
	arena[ENDS] = 'w';
	CHILD_ASSERT(absent(2 * ENDS, 2 * M) == 2 * M, "of both kinds");
	holds_pattern(2 * ENDS, 2 * M);
}

START_TEST(what_was_cut_is_there_in_pieces)
{
	lose_three();
	ck_assert_int_eq(munmap(arena + 64 * K, M - 64 * K), 0);
	ck_assert_int_eq(mprotect(arena + 2 * ENDS + M, M, PROT_READ), 0);
	run_committed(pieces_are_there);
	ck_assert_int_eq(arena[ENDS], byte_at(ENDS));
}
END_TEST

static void rest_is_there(void)
{
	holds_pattern(0, 2 * M);
	for (size_t i = 2 * M; i < 3 * M; i++)
		CHILD_ASSERT(arena[i] == 'g', "byte %zx", i);
	holds_pattern(ENDS, 2 * M);
}

/* It is one mapping with what was marked, which an mremap() makes. */
START_TEST(what_has_grown_is_read_to_its_end)
{
	lose_three();
	ck_assert_int_eq(munmap(arena + 2 * M, M), 0);
	ck_assert_ptr_eq(mremap(arena, 2 * M, 3 * M, 0), arena);
	memset(arena + 2 * M, 'g', M);
	run_committed(rest_is_there);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, what_is_as_it_was_marked_is_absent);
	tcase_add_test(tests, what_has_moved_is_read_where_it_is);
	tcase_add_test(tests, what_was_mapped_in_its_place_was_copied);
	tcase_add_test(tests, what_was_cut_is_there_in_pieces);
	tcase_add_test(tests, what_has_grown_is_read_to_its_end);
}
