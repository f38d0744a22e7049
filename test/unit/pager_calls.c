/* What the mediator fetches before a call, and what it leaves of calls on
 * memory that fail. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "pattern.h"
#include "unit.h"

const char unit_subject[] = "pager-calls";

static void fail_calls(void)
{
	long at = (long)arena;

	CHILD_ASSERT(mediated(SYS_munmap, at + 5, M, 0, 0, 0, 0) == -EINVAL,
		     "unaligned");
	CHILD_ASSERT(mediated(SYS_munmap, at, LONG_MAX, 0, 0, 0, 0) == -EINVAL,
		     "too long");
	CHILD_ASSERT(mediated(SYS_mmap, at, M, RW, MAP_PRIVATE | MAP_FIXED, 77,
			      0) == -EBADF,
		     "no such file");
	CHILD_ASSERT(mediated(SYS_mmap, at, M, RW,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
			      -1, 0) == -EEXIST,
		     "taken");
	CHILD_ASSERT(mediated(SYS_mremap, at, 8 * K, 8 * K,
			      MREMAP_MAYMOVE | MREMAP_FIXED, at + 4 * K,
			      0) == -EINVAL,
		     "overlap");
	CHILD_ASSERT(mediated(SYS_mprotect, at, M, 1L << 30, 0, 0, 0) ==
			     -EINVAL,
		     "no such protection");
	for (size_t i = 0; i < 2 * M; i++)
		CHILD_ASSERT(is_accessible(arena + i) || absent(i, 1),
			     "page %zu is neither there nor absent",
			     (i | (FF_PAGE - 1)) / FF_PAGE);
	holds_pattern(0, 2 * M);
}

START_TEST(calls_that_fail_leave_memory_as_it_is)
{
	make_arena();
	lose_at(0, 2 * M, RW);
	run_lost(fail_calls);
}
END_TEST

/* What was brought in piece by piece is one mapping to the kernel again. */
static void move_all(void)
{
	char *moved;

	for (size_t i = CLUSTER; i < 2 * M; i += 4 * CLUSTER)
		CHILD_ASSERT(fetch(i, 1) == 0, "fetch");
	moved = (char *)mediated(SYS_mremap, (long)arena, 2 * M, 4 * M,
				 MREMAP_MAYMOVE, 0, 0);
	CHILD_ASSERT((long)moved > 0, "%ld", (long)moved);
	for (size_t i = 0; i < 2 * M; i++)
		CHILD_ASSERT(moved[i] == byte_at(i), "byte %zx", i);
}

START_TEST(an_area_with_holes_can_be_moved_as_one)
{
	make_arena();
	lose_at(0, 2 * M, RW);
	run_lost(move_all);
}
END_TEST

/* Over the border of two clusters; nothing around it is absent later. */
#define BORDER (M + CLUSTER)

static void serve_strings(void)
{
	long path = (long)arena + BORDER - 6, where = (long)arena + 3 * M;

	CHILD_ASSERT(mediated(SYS_access, path, F_OK, 0, 0, 0, 0) == 0,
		     "a path over a border");
	CHILD_ASSERT(absent(0, ARENA) == 8 * M - 2 * CLUSTER, "its clusters");
	CHILD_ASSERT(mediated(SYS_stat, path, where, 0, 0, 0, 0) == 0, "stat");
	CHILD_ASSERT(((struct stat *)where)->st_mode != 0, "st_mode");
	CHILD_ASSERT(mediated(SYS_getcwd, where + M - 2, 4096, 0, 0, 0, 0) > 0,
		     "getcwd");
	CHILD_ASSERT(arena[4 * M - 2] == '/', "its answer");
	holds_pattern(3 * M + CLUSTER, CLUSTER);
}

START_TEST(strings_and_structs_are_fetched_before_a_call)
{
	make_arena();
	fill(0, 8 * M);
	memcpy(arena + BORDER - 6, "/proc/self/maps", 16);
	lose(arena, 8 * M, RW);
	run_lost(serve_strings);
}
END_TEST

static void serve_vectors(void)
{
	static char got[4 * CLUSTER];
	int fd = memfd_create("unit", MFD_CLOEXEC);
	long at = (long)arena + BORDER - sizeof(struct iovec);

	ff_child.committed = true; /* may write */
	CHILD_ASSERT(mediated(SYS_writev, fd, at, 3, 0, 0, 0) ==
			     3 * CLUSTER + 7,
		     "writev");
	CHILD_ASSERT(pread(fd, got, sizeof(got), 0) == 3 * CLUSTER + 7, "size");
	CHILD_ASSERT(!memcmp(got, arena + 2 * M, CLUSTER) &&
			     !memcmp(got + CLUSTER, arena + 4 * M - 4, 7) &&
			     !memcmp(got + CLUSTER + 7, arena + 5 * M,
				     2 * CLUSTER),
		     "content");
	holds_pattern(4 * M - 4, 7);
	holds_pattern(5 * M, 2 * CLUSTER);
	CHILD_ASSERT(mediated(SYS_write, fd, (long)arena + 6 * M, 9 * K, 0, 0,
			      0) == 9 * K,
		     "write");
}

START_TEST(vectors_are_fetched_with_all_they_name)
{
	struct iovec *v;

	make_arena();
	fill(0, 8 * M);
	v = (struct iovec *)(arena + BORDER) - 1;
	v[0] = (struct iovec){ arena + 2 * M, CLUSTER };
	v[1] = (struct iovec){ arena + 4 * M - 4, 7 };
	v[2] = (struct iovec){ arena + 5 * M, 2 * CLUSTER };
	lose(arena, 8 * M, RW);
	run_lost(serve_vectors);
}
END_TEST

static void ask_affinity(void)
{
	long set = (long)arena + 2 * M;

	CHILD_ASSERT(mediated(SYS_sched_getaffinity, 0, 1024, set, 0, 0, 0) > 0,
		     "sched_getaffinity");
	CHILD_ASSERT(CPU_COUNT_S(1024, (cpu_set_t *)set) > 0, "its answer");
	CHILD_ASSERT(absent(0, ARENA) >= 8 * M - CLUSTER, "%zu KiB fetched",
		     (8 * M - absent(0, ARENA)) / K);
}

START_TEST(the_affinity_mask_is_fetched_and_nothing_else)
{
	make_arena();
	lose_at(0, 8 * M, RW);
	run_lost(ask_affinity);
}
END_TEST

static void pass_rubbish(void)
{
	mediated(SYS_access, (long)arena + 8 * M, F_OK, 0, 0, 0, 0);
}

START_TEST(a_pointer_to_nothing_ends_the_trial)
{
	make_arena();
	lose_at(0, 2 * M, RW);
	run_lost_until(pass_rubbish, FF_REASON_CALL, SYS_access);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, calls_that_fail_leave_memory_as_it_is);
	tcase_add_test(tests, an_area_with_holes_can_be_moved_as_one);
	tcase_add_test(tests, strings_and_structs_are_fetched_before_a_call);
	tcase_add_test(tests, vectors_are_fetched_with_all_they_name);
	tcase_add_test(tests, the_affinity_mask_is_fetched_and_nothing_else);
	tcase_add_test(tests, a_pointer_to_nothing_ends_the_trial);
}
