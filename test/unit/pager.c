/* The pager's table, step by step. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "host/fault.h"
#include "pattern.h"
#include "unit.h"

const char unit_subject[] = "pager";

static void nothing_is_there_until_it_is_touched(void)
{
	volatile char *p = arena;

	CHILD_ASSERT(absent(0, ARENA) == 2 * M, "%zu", absent(0, ARENA));
	for (size_t i = 0; i < 2 * M; i += FF_PAGE)
		CHILD_ASSERT(!is_accessible(arena + i), "page %zu",
			     i / FF_PAGE);
	CHILD_ASSERT(p[M + 5] == byte_at(M + 5), "read");
	CHILD_ASSERT(absent(0, ARENA) == 2 * M - CLUSTER, "one cluster");
	CHILD_ASSERT(absent(M, CLUSTER) == 0, "that one");
	CHILD_ASSERT(!is_accessible(arena + M - 1), "not before it");
	CHILD_ASSERT(!is_accessible(arena + M + CLUSTER), "not behind it");
	holds_pattern(M, CLUSTER);
	p[0] = 'x'; /* a write brings in the rest of its cluster */
	CHILD_ASSERT(p[0] == 'x', "write");
	holds_pattern(1, CLUSTER - 1);
	CHILD_ASSERT(ff_child.shared->faults == 2, "two faults");
	CHILD_ASSERT(ff_child.shared->fetched_bytes == 2 * CLUSTER, "bytes");
	CHILD_ASSERT(fetch(0, 2 * M) == 0 && absent(0, ARENA) == 0, "all");
	CHILD_ASSERT(p[0] == 'x', "what was written stays");
	holds_pattern(1, 2 * M - 1);
}

START_TEST(a_touch_brings_in_its_cluster_and_no_more)
{
	make_arena();
	lose_at(0, 2 * M, RW);
	run_lost(nothing_is_there_until_it_is_touched);
	ck_assert_int_eq(arena[0], byte_at(0));
}
END_TEST

static bool is_warm(unsigned i, size_t offset)
{
	return ff_child.shared->warm.cluster[i] == (uintptr_t)arena + offset;
}

static void what_is_fetched_is_told(void)
{
	const struct ff_warm *warm = &ff_child.shared->warm;

	CHILD_ASSERT(warm->count == 0, "nothing yet");
	CHILD_ASSERT(fetch(M + 7, 1) == 0 && fetch(M + 9, 1) == 0, "fetch");
	CHILD_ASSERT(warm->count == 1 && is_warm(0, M), "one");
	CHILD_ASSERT(fetch(3 * CLUSTER, 4 * CLUSTER) == 0, "fetch");
	CHILD_ASSERT(warm->count == 5 && is_warm(1, 3 * CLUSTER) &&
			     is_warm(4, 6 * CLUSTER),
		     "four more");
	CHILD_ASSERT(fetch(8 * CLUSTER, 5 * CLUSTER) == 0, "fetch");
	CHILD_ASSERT(warm->count == 5, "a long run is not");
}

START_TEST(what_a_child_fetches_is_told_to_its_parent)
{
	make_arena();
	lose_at(0, 2 * M, RW);
	run_lost(what_is_fetched_is_told);
}
END_TEST

static void neighbours_stay(void)
{
	memset(arena + 20 * K, 'a', 4 * K);
	memset(arena + 32 * K, 'b', 4 * K);
	CHILD_ASSERT(absent(0, CLUSTER) == CLUSTER, "one cluster counts");
	CHILD_ASSERT(absent(20 * K, 4 * K) == 0, "not what is no area");
	CHILD_ASSERT(fetch(24 * K, 1) == 0, "fetch");
	holds_pattern(24 * K, 8 * K);
	CHILD_ASSERT(arena[24 * K - 1] == 'a' && arena[32 * K] == 'b', "edges");
	/* two areas in one cluster: each has a bit of its own */
	CHILD_ASSERT(absent(2 * M, CLUSTER) == 2 * CLUSTER, "two bits");
	CHILD_ASSERT(fetch(2 * M + 12 * K, 4) == 0, "fetch");
	CHILD_ASSERT(absent(2 * M, CLUSTER) == CLUSTER, "one bit");
	CHILD_ASSERT(!is_accessible(arena + 2 * M + 8 * K), "the other area");
	holds_pattern(2 * M + 12 * K, 4 * K);
}

START_TEST(what_is_beside_an_area_is_not_touched)
{
	make_arena();
	mprotect(arena, 64 * K, RW);
	lose_at(24 * K, 8 * K, RW);
	lose_at(2 * M + 8 * K, 4 * K, PROT_READ);
	lose_at(2 * M + 12 * K, 4 * K, RW);
	run_lost(neighbours_stay);
}
END_TEST

static void odd_ranges(void)
{
	CHILD_ASSERT(fetch(0, 0) == 0 && absent(0, 0) == 0, "nothing");
	CHILD_ASSERT(absent(M, SIZE_MAX) == 0, "over the end of memory");
	CHILD_ASSERT(fetch(M, SIZE_MAX) == 0, "over the end of memory");
	CHILD_ASSERT(absent(0, ARENA) == 8 * M, "all");
	CHILD_ASSERT(fetch(CLUSTER - 1, 2) == 0, "a border");
	CHILD_ASSERT(absent(0, ARENA) == 8 * M - 2 * CLUSTER, "two clusters");
	CHILD_ASSERT(fetch(4 * CLUSTER, CLUSTER) == 0, "a cluster");
	CHILD_ASSERT(absent(0, ARENA) == 8 * M - 3 * CLUSTER, "exactly it");
	CHILD_ASSERT(fetch(0, 9 * M) == 0 && absent(0, ARENA) == 0, "all");
	holds_pattern(0, 8 * M);
}

START_TEST(ranges_are_rounded_to_clusters)
{
	make_arena();
	lose_at(0, 8 * M, RW);
	run_lost(odd_ranges);
}
END_TEST

static void write_read_only(void)
{
	volatile char *p = arena;

	holds_pattern(0, CLUSTER);
	p[0] = 1;
}

START_TEST(read_only_memory_is_read_only)
{
	make_arena();
	lose_at(0, M, PROT_READ);
	run_lost_until(write_read_only, FF_REASON_CRASH, -1);
}
END_TEST

static void read_one(void)
{
	(void)*(volatile char *)(arena + M / 2);
}

START_TEST(memory_that_cannot_be_had_ends_the_trial)
{
	make_arena();
	lose_at(0, M, RW);
	ff_faults = 1U << FF_FAULT_FETCH;
	run_lost_until(read_one, FF_REASON_MEMORY, -1);
}
END_TEST

static void forget_pieces(void)
{
	struct ff_areas *areas = ff_child.areas;

	/* in the middle, borders within clusters */
	CHILD_ASSERT(mediated(SYS_munmap, (long)(arena + M + 4 * K), M, 0, 0, 0,
			      0) == 0,
		     "munmap");
	CHILD_ASSERT(areas->count == 2, "%u areas", areas->count);
	CHILD_ASSERT(areas->area[0].end == (uintptr_t)arena + M + 4 * K, "1st");
	CHILD_ASSERT(areas->area[1].start == (uintptr_t)arena + 2 * M + 4 * K,
		     "2nd");
	CHILD_ASSERT(absent(M + 4 * K, M) == 0, "none is absent");
	holds_pattern(M, 4 * K);
	holds_pattern(2 * M + 4 * K, 60 * K);
	/* the start, the end, and on the border of clusters: none fetched */
	CHILD_ASSERT(ff_forget((uintptr_t)arena, CLUSTER) == 0, "start");
	CHILD_ASSERT(ff_forget((uintptr_t)arena + 3 * M, 5 * M) == 0, "end");
	CHILD_ASSERT(areas->count == 2, "%u areas", areas->count);
	CHILD_ASSERT(absent(0, ARENA) == 2 * M - CLUSTER - CLUSTER, "%zu",
		     absent(0, ARENA));
	holds_pattern(CLUSTER, M - CLUSTER);
	CHILD_ASSERT(ff_forget((uintptr_t)arena, ARENA) == 0, "all");
	CHILD_ASSERT(areas->count == 0 && absent(0, ARENA) == 0, "none");
}

START_TEST(what_is_unmapped_is_forgotten)
{
	make_arena();
	lose_at(0, 8 * M, RW);
	run_lost(forget_pieces);
}
END_TEST

static void have_edges(void)
{
	uintptr_t at = (uintptr_t)arena;

	CHILD_ASSERT(ff_fetch_edges(at, 2 * CLUSTER) == 0, "no edges");
	CHILD_ASSERT(absent(0, ARENA) == 8 * M, "on borders: none");
	CHILD_ASSERT(ff_fetch_edges(at + M + 4 * K, M) == 0, "edges");
	CHILD_ASSERT(absent(0, ARENA) == 8 * M - 2 * CLUSTER, "two of them");
	CHILD_ASSERT(!absent(M, CLUSTER) && !absent(2 * M, CLUSTER), "where");
	CHILD_ASSERT(ff_child.areas->count == 1, "nothing is forgotten");
	holds_pattern(M, CLUSTER);
	holds_pattern(0, 8 * M);
}

START_TEST(edges_are_fetched_and_nothing_is_forgotten)
{
	make_arena();
	lose_at(0, 8 * M, RW);
	run_lost(have_edges);
}
END_TEST

#define FULL (FF_AREAS_MAX + FF_AREAS_SPARE)

/* In the middle of an area: where one more finds room, it is cut in two. */
static void cut_one_more(void)
{
	unsigned count = ff_child.areas->count;

	CHILD_ASSERT(mediated(SYS_munmap, (long)arena + 4 * K, 4 * K, 0, 0, 0,
			      0) == 0,
		     "munmap");
	CHILD_ASSERT(ff_child.areas->count == count + 1, "%u areas",
		     ff_child.areas->count);
	CHILD_ASSERT(absent(4 * K, 4 * K) == 0, "forgotten");
	CHILD_ASSERT(!is_accessible(arena + 4 * K), "unmapped");
	holds_pattern(8 * K, 4 * K);
}

START_TEST(a_full_table_ends_the_trial)
{
	unsigned count = _i ? FULL : FULL - 1;

	make_arena();
	lose_at(0, 12 * K, RW);
	for (unsigned i = 1; i < count; i++)
		lose_at((size_t)i * 12 * K + 4 * K, 4 * K, RW);
	if (_i)
		run_lost_until(cut_one_more, FF_REASON_MEMORY, SYS_munmap);
	else
		run_lost(cut_one_more);
}
END_TEST

/* H-P2: with no mapping left to split one, but memory to be had. A process may
 * have a million of them: a call makes two, where there is room. */
static void use_up_mappings(void)
{
	int prot = PROT_READ; /* merges with no area */
	char *p = mmap(NULL, (size_t)1 << 32, prot,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	for (size_t i = 1; p != MAP_FAILED && i < 1 << 20; i += 2)
		if (mprotect(p + i * FF_PAGE, FF_PAGE, PROT_EXEC))
			break;
	do {
		p = mmap(NULL, FF_PAGE, prot,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		prot ^= PROT_EXEC;
	} while (p != MAP_FAILED);
	CHILD_ASSERT(errno == ENOMEM, "%d", errno);
}

static size_t area_bytes;
static int area_prot;

/* An area from 1 MiB on; nothing beside it that it could merge with. Its
 * last quarter was never touched. */
static void lose_alone(int i)
{
	area_bytes = i & 1 ? 6 * M : M;
	area_prot = i & 2 ? PROT_READ : RW;
	make_arena();
	fill(M, area_bytes / 4 * 3);
	mprotect(arena + M, area_bytes, area_prot);
	lose(arena + M, area_bytes, area_prot);
	munmap(arena, M);
	munmap(arena + M + area_bytes, M);
}

static void fetch_without_mappings(void)
{
	use_up_mappings();
	CHILD_ASSERT(fetch(M + 5, 1) == -ENOMEM, "fetch");
	CHILD_ASSERT(absent(M, area_bytes) == area_bytes, "none of it");
	(void)*(volatile char *)(arena + M + 5);
}

START_TEST(without_a_mapping_to_spare_a_trial_ends)
{
	lose_alone(_i);
	run_lost_until(fetch_without_mappings, FF_REASON_MEMORY, -1);
}
END_TEST

static void fetch_whole_area(void)
{
	size_t touched = area_bytes / 4 * 3;
	bool writable = area_prot & PROT_WRITE;
	volatile char *p = arena + M;

	(void)p[CLUSTER];
	if (writable)
		p[CLUSTER] = 'x'; /* present: not read again */
	use_up_mappings();
	CHILD_ASSERT(absent(M, area_bytes) == area_bytes - CLUSTER, "absent");
	CHILD_ASSERT(mediated(SYS_munmap, (long)arena + M + 4 * CLUSTER,
			      CLUSTER, 0, 0, 0, 0) == -ENOMEM,
		     "munmap can't split it either");
	CHILD_ASSERT(p[touched - 1] == byte_at(M + touched - 1), "touch");
	CHILD_ASSERT(absent(M, area_bytes) == 0, "all of it");
	CHILD_ASSERT(p[CLUSTER] == (writable ? 'x' : byte_at(M + CLUSTER)),
		     "what was written stays");
	holds_pattern(M, CLUSTER);
	holds_pattern(M + CLUSTER + 1, touched - CLUSTER - 1);
	for (size_t i = touched; i < area_bytes; i++)
		CHILD_ASSERT(p[i] == 0, "never touched");
	for (size_t i = 0; i < area_bytes; i += FF_PAGE)
		CHILD_ASSERT((syscall(SYS_getrandom, p + i, 1, 0) == 1) ==
				     writable,
			     "page %zu", i / FF_PAGE);
}

START_TEST(without_a_mapping_to_spare_a_committed_child_fetches_the_area)
{
	lose_alone(_i);
	run_committed(fetch_whole_area);
}
END_TEST

static void touch_all_by_release(void)
{
	volatile char *p = arena;

	p[0] = 'x'; /* present: not read again */
	CHILD_ASSERT(ff_fetch_all() == 0, "fetch all");
	CHILD_ASSERT(absent(0, ARENA) == 0, "absent");
	CHILD_ASSERT(p[0] == 'x', "what was written stays");
	holds_pattern(1, M - 1);
	for (size_t i = M; i < 2 * M; i++)
		CHILD_ASSERT(arena[i] == 0, "never touched");
	holds_pattern(4 * M + 4 * K, 8 * K);
	for (size_t i = 0; i < 8 * K; i += FF_PAGE)
		CHILD_ASSERT(syscall(SYS_getrandom, arena + 4 * M + 4 * K + i,
				     1, 0) == -1,
			     "read-only");
}

static void lose_two(void)
{
	make_arena();
	fill(0, M);
	mprotect(arena, 2 * M, RW);
	lose(arena, 2 * M, RW);
	lose_at(4 * M + 4 * K, 8 * K, PROT_READ);
}

START_TEST(fetching_everything_keeps_protections)
{
	lose_two();
	run_committed(touch_all_by_release);
}
END_TEST

/* The answer into read-only memory is EFAULT: what is no mistake of ours
 * the kernel says again, of a process that has all its memory. */
static void leave_by_fault(void)
{
	mediated(SYS_getcwd, (long)arena + 4 * M + 4 * K, 4096, 0, 0, 0, 0);
	CHILD_ASSERT(ff_child.areas->count == 0, "%u areas",
		     ff_child.areas->count);
	holds_pattern(0, M);
	holds_pattern(4 * M + 4 * K, 8 * K);
	CHILD_ASSERT(fcntl(ff_child.mem, F_GETFD) == -1 &&
			     fcntl(ff_child.pagemap, F_GETFD) == -1,
		     "our descriptors are closed");
}

START_TEST(a_fault_in_a_call_ends_a_trial)
{
	lose_two();
	run_lost_until(leave_by_fault, FF_REASON_CALL, SYS_getcwd);
}
END_TEST

START_TEST(a_fault_in_a_call_lets_a_committed_child_go_with_its_memory)
{
	lose_two();
	run_committed_past(leave_by_fault, FF_REASON_CALL, SYS_getcwd);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_touch_brings_in_its_cluster_and_no_more);
	tcase_add_test(tests, what_a_child_fetches_is_told_to_its_parent);
	tcase_add_test(tests, what_is_beside_an_area_is_not_touched);
	tcase_add_test(tests, ranges_are_rounded_to_clusters);
	tcase_add_test(tests, read_only_memory_is_read_only);
	tcase_add_test(tests, memory_that_cannot_be_had_ends_the_trial);
	tcase_add_test(tests, what_is_unmapped_is_forgotten);
	tcase_add_test(tests, edges_are_fetched_and_nothing_is_forgotten);
	tcase_add_loop_test(tests, a_full_table_ends_the_trial, 0, 2);
	tcase_add_loop_test(tests, without_a_mapping_to_spare_a_trial_ends, 0,
			    4);
	tcase_add_loop_test(
		tests,
		without_a_mapping_to_spare_a_committed_child_fetches_the_area,
		0, 4);
	tcase_add_test(tests, fetching_everything_keeps_protections);
	tcase_add_test(tests, a_fault_in_a_call_ends_a_trial);
	tcase_add_test(
		tests,
		a_fault_in_a_call_lets_a_committed_child_go_with_its_memory);
}
