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

/* Nothing is lost: every page is there, or known to be absent. */
static void nothing_is_lost(size_t bytes, const char *after)
{
	for (size_t i = 0; i < bytes; i += FF_PAGE)
		CHILD_ASSERT(is_accessible(arena + i) || absent(i, 1),
			     "%s: page %zu is neither there nor absent", after,
			     i / FF_PAGE);
}

static void fail_calls(void)
{
	const struct {
		const char *what;
		long nr, at, c, d, e, answer;
		size_t bytes, fetched;
	} fails[] = {
		{ "munmap: unaligned", SYS_munmap, 5, 0, 0, 0, -EINVAL, M,
		  CLUSTER },
		{ "munmap: too long", SYS_munmap, 0, 0, 0, 0, -EINVAL, LONG_MAX,
		  0 },
		{ "munmap: of nothing", SYS_munmap, 0, 0, 0, 0, -EINVAL, 0, 0 },
		{ "mmap: no such file", SYS_mmap, 0, RW,
		  MAP_PRIVATE | MAP_FIXED, 77, -EBADF, M, 0 },
		{ "mmap: unaligned", SYS_mmap, 5, RW,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, -EINVAL, 2 * M,
		  0 },
		{ "mmap: neither private nor shared", SYS_mmap, 0, RW,
		  MAP_ANONYMOUS | MAP_FIXED, -1, -EINVAL, 2 * M, 0 },
		{ "mmap: no memory", SYS_mmap, 0, RW,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, -ENOMEM,
		  (size_t)1 << 60, 0 },
		{ "mmap: taken", SYS_mmap, 0, RW,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		  -EEXIST, M, 0 },
		{ "mmap: our file", SYS_mmap, 0, RW, MAP_PRIVATE | MAP_FIXED,
		  ff_child.mem, -EBADF, M, 0 },
	};
	size_t left = 2 * M;

	for (size_t i = 0; i < sizeof(fails) / sizeof(*fails); i++) {
		long rc = mediated(fails[i].nr, (long)arena + fails[i].at,
				   (long)fails[i].bytes, fails[i].c, fails[i].d,
				   fails[i].e, 0);

		CHILD_ASSERT(rc == fails[i].answer, "%s: %ld", fails[i].what,
			     rc);
		left -= fails[i].fetched;
		CHILD_ASSERT(absent(0, 2 * M) <= left &&
				     absent(0, 2 * M) + 2 * CLUSTER >= left,
			     "%s: %zu KiB are absent, not %zu", fails[i].what,
			     absent(0, 2 * M) / K, left / K);
		left = absent(0, 2 * M);
		nothing_is_lost(2 * M, fails[i].what);
	}
	holds_pattern(0, 2 * M);
}

static void fail_calls_on_fetched(void)
{
	long at = (long)arena;

	CHILD_ASSERT(mediated(SYS_mremap, at, 8 * K, 8 * K,
			      MREMAP_MAYMOVE | MREMAP_FIXED, at + 4 * K,
			      0) == -EINVAL,
		     "overlap");
	nothing_is_lost(2 * M, "mremap");
	CHILD_ASSERT(mediated(SYS_mremap, at, 8 * K, 8 * K, MREMAP_FIXED,
			      at + M, 0) == -EINVAL,
		     "may not move");
	CHILD_ASSERT(absent(M, M) == M - CLUSTER, "its edge at most");
	CHILD_ASSERT(mediated(SYS_mprotect, at + 1, M / 2, PROT_READ, 0, 0, 0) ==
			     -EINVAL,
		     "not a page");
	CHILD_ASSERT(mediated(SYS_madvise, at + 1, M / 2, MADV_DONTNEED, 0, 0,
			      0) == -EINVAL,
		     "not a page");
	nothing_is_lost(2 * M, "madvise");
	CHILD_ASSERT(absent(M, M) == M - CLUSTER, "the other half");
	holds_pattern(0, 2 * M);
}

START_TEST(calls_that_fail_leave_absent_memory_to_be_fetched)
{
	make_arena();
	lose_at(0, 2 * M, RW);
	if (_i)
		run_committed(fail_calls);
	else
		run_lost(fail_calls);
}
END_TEST

START_TEST(calls_that_fail_leave_fetched_memory_as_it_is)
{
	make_arena();
	lose_at(0, 2 * M, RW);
	if (_i)
		run_committed(fail_calls_on_fetched);
	else
		run_lost(fail_calls_on_fetched);
}
END_TEST

/* What was fetched for a call is ordinary memory: what the call did to it,
 * though it failed, stays. */
static void protect_half(void)
{
	CHILD_ASSERT(mediated(SYS_mprotect, (long)arena + M / 2, M, PROT_READ,
			      0, 0, 0) == -ENOMEM,
		     "mprotect over a hole");
	CHILD_ASSERT(ff_child.areas->area[0].end == (uintptr_t)arena + M / 2,
		     "the table ends before it");
	if (ff_child.committed)
		CHILD_ASSERT(ff_fetch_all() == 0, "fetch all");
	else
		CHILD_ASSERT(fetch(0, 2 * M) == 0, "fetch");
	CHILD_ASSERT(syscall(SYS_getrandom, arena + M / 2 - 1, 1, 0) == 1,
		     "writable");
	CHILD_ASSERT(syscall(SYS_getrandom, arena + M / 2, 1, 0) == -1,
		     "not writable any more");
	holds_pattern(0, M / 2 - 1);
	holds_pattern(M / 2, M / 2);
}

START_TEST(an_mprotect_that_fails_half_way_has_changed_the_first_half)
{
	make_arena();
	lose_at(0, M, RW);
	munmap(arena + M, M);
	if (_i)
		run_committed(protect_half);
	else
		run_lost(protect_half);
}
END_TEST

/* H-P4: what was brought in piece by piece is one mapping to the kernel for
 * a committed child; on trial it is not, and that is seen. */
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
	CHILD_ASSERT(moved[2 * M] == 0 && moved[4 * M - 1] == 0, "what grew");
}

START_TEST(an_area_with_holes_moves_as_one_in_a_committed_child)
{
	make_arena();
	lose_at(0, 2 * M, _i ? PROT_READ : RW);
	run_committed(move_all);
}
END_TEST

START_TEST(an_area_with_holes_that_cannot_move_ends_the_trial)
{
	make_arena();
	lose_at(0, 2 * M, _i ? PROT_READ : RW);
	run_lost_until(move_all, FF_REASON_CALL, SYS_mremap);
}
END_TEST

/* From here to the break, 4 MiB: absent. */
static char *heap;

static void shrink_heap(void)
{
	size_t bytes = 4 * M, left;
	uintptr_t at = (uintptr_t)heap;

	CHILD_ASSERT(ff_absent_bytes(at, bytes) >= bytes, "absent");
	CHILD_ASSERT(mediated(SYS_brk, FF_PAGE, 0, 0, 0, 0, 0) ==
			     (long)(heap + bytes),
		     "below the start");
	left = ff_absent_bytes(at, bytes);
	CHILD_ASSERT(left + CLUSTER >= bytes, "a failure fetches an edge");
	CHILD_ASSERT(mediated(SYS_brk, LONG_MAX, 0, 0, 0, 0, 0) ==
			     (long)(heap + bytes),
		     "too high");
	CHILD_ASSERT(ff_absent_bytes(at, bytes) == left, "nor changes it");
	CHILD_ASSERT(mediated(SYS_brk, (long)heap + M + 5, 0, 0, 0, 0, 0) ==
			     (long)(heap + M + 5),
		     "brk");
	CHILD_ASSERT(ff_absent_bytes(at + M + FF_PAGE, bytes) == 0,
		     "forgotten");
	CHILD_ASSERT(mediated(SYS_brk, (long)heap + 2 * M, 0, 0, 0, 0, 0) ==
			     (long)(heap + 2 * M),
		     "brk");
	for (size_t i = 0; i < 2 * M; i++)
		CHILD_ASSERT(heap[i] == (i < M + FF_PAGE ? 'h' : 0),
			     "byte %zx: %d", i, heap[i]);
}

START_TEST(a_break_that_cannot_move_keeps_absent_memory)
{
	char *end = sbrk(0);

	heap = end + (-(uintptr_t)end & (FF_PAGE - 1));
	ck_assert_int_eq(brk(heap + 4 * M), 0);
	memset(heap, 'h', 4 * M);
	lose(heap, 4 * M, RW);
	if (_i)
		run_committed(shrink_heap);
	else
		run_lost(shrink_heap);
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
	run_committed(serve_vectors); /* may write */
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
	tcase_add_loop_test(
		tests, calls_that_fail_leave_absent_memory_to_be_fetched, 0, 2);
	tcase_add_loop_test(
		tests, calls_that_fail_leave_fetched_memory_as_it_is, 0, 2);
	tcase_add_loop_test(
		tests,
		an_mprotect_that_fails_half_way_has_changed_the_first_half, 0,
		2);
	tcase_add_loop_test(
		tests, an_area_with_holes_moves_as_one_in_a_committed_child, 0,
		2);
	tcase_add_loop_test(tests,
			    an_area_with_holes_that_cannot_move_ends_the_trial,
			    0, 2);
	tcase_add_loop_test(tests, a_break_that_cannot_move_keeps_absent_memory,
			    0, 2);
	tcase_add_test(tests, strings_and_structs_are_fetched_before_a_call);
	tcase_add_test(tests, vectors_are_fetched_with_all_they_name);
	tcase_add_test(tests, the_affinity_mask_is_fetched_and_nothing_else);
	tcase_add_test(tests, a_pointer_to_nothing_ends_the_trial);
}
