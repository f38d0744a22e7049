/* Which areas are copied, as they have little memory in them or are stacks: never
 * more than time hangs on it. */
#include "lazy/parent/sparse.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"

const char unit_subject[] = "sparse";

#define M ((size_t)1 << 20)
#define ROUNDS 100 /* more than what was found is kept for */

static struct ff_areas areas;
static int pagemap;

static unsigned char *map(size_t bytes)
{
	unsigned char *p =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_int_eq(madvise(p, bytes, MADV_NOHUGEPAGE), 0);
	return p;
}

static void set_up(void)
{
	pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(pagemap, 0);
}

static bool stays(const unsigned char *p, size_t bytes, int fd)
{
	areas.count = 1;
	areas.area[0] = (struct ff_area){ .start = (uintptr_t)p,
					  .end = (uintptr_t)p + bytes };
	areas.absent_bytes = bytes;
	ff_areas_drop_sparse(&areas, fd);
	ck_assert_uint_eq(areas.absent_bytes, areas.count ? bytes : 0);
	return areas.count == 1;
}

START_TEST(a_stack_goes_and_what_is_full_stays)
{
	const size_t bytes = 8 * M;
	unsigned char *stack = map(bytes), *deep = map(bytes),
		      *heap = map(bytes), *used = map(bytes);

	set_up();
	memset(stack + bytes - 3 * FF_PAGE, 1, 3 * FF_PAGE);
	memset(deep + bytes / 2, 1, bytes / 2);
	memset(heap, 1, bytes);
	memset(used, 1, bytes / 2);
	ck_assert(!stays(stack, bytes, pagemap));
	ck_assert(!stays(deep, bytes, pagemap));
	ck_assert(stays(heap, bytes, pagemap));
	ck_assert(stays(used, bytes, pagemap));
	/* nothing is known */
	ck_assert(stays(stack, bytes, -1));
}
END_TEST

START_TEST(what_is_big_is_looked_at_each_time)
{
	const size_t bytes = 256 * M;
	unsigned char *p = map(bytes);

	set_up();
	for (size_t at = 8 * M; at <= bytes; at += 8 * M)
		p[at - 1] = 1;
	ck_assert(!stays(p, bytes, pagemap));
	memset(p + bytes / 4, 1, bytes / 4);
	ck_assert(stays(p, bytes, pagemap));
}
END_TEST

START_TEST(what_fills_is_noticed)
{
	const size_t bytes = 2 * M;
	unsigned char *p = map(bytes);
	int round = 0;

	set_up();
	ck_assert(!stays(p, bytes, pagemap));
	memset(p, 1, bytes);
	while (round < ROUNDS && !stays(p, bytes, pagemap))
		round++;
	ck_assert_int_lt(round, ROUNDS);
	/* another mapping that begins there is not what was known */
	ck_assert_int_eq(madvise(p, bytes, MADV_DONTNEED), 0);
	ck_assert(!stays(p, bytes / 2, pagemap));
}
END_TEST

START_TEST(of_many_each_is_itself)
{
	enum {
		N = 300
	};
	unsigned char *p = map(N * M);
	unsigned i, kept = 0;

	set_up();
	areas.count = N;
	for (i = 0; i < N; i++) {
		areas.area[i] =
			(struct ff_area){ .start = (uintptr_t)p + i * M,
					  .end = (uintptr_t)p + i * M + M };
		if (i % 3 == 0)
			memset(p + i * M, 1, M);
	}
	areas.absent_bytes = N * M;
	ff_areas_drop_sparse(&areas, pagemap);
	ck_assert_uint_eq(areas.absent_bytes, N / 3 * M);
	for (i = 0; i < N; i += 3)
		ck_assert_uint_eq(areas.area[kept++].start,
				  (uintptr_t)p + i * M);
	ck_assert_uint_eq(areas.count, kept);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, a_stack_goes_and_what_is_full_stays);
	tcase_add_test(tests, what_is_big_is_looked_at_each_time);
	tcase_add_test(tests, what_fills_is_noticed);
	tcase_add_test(tests, of_many_each_is_itself);
}
