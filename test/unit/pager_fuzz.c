/*
 * Random memory calls of a child that has lost its memory, the kernel being
 * the model: beside the arena whose areas are absent lies a copy that is not.
 * Every call is made on both, by the mediator and plainly, and must answer
 * the same; in the end, and wherever the child looks, both hold the same
 * bytes with the same protections.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "host/sys.h"
#include "host/maps.h"
#include "pattern.h"
#include "unit.h"

const char unit_subject[] = "pager-fuzz";

#define PAGES (ARENA / FF_PAGE)
#define STEPS 400
#define ROUNDS 30

static char *copy;
static uint64_t seed, state;
static unsigned step;

static unsigned pick(unsigned below)
{
	state = state * 6364136223846793005U + 1442695040888963407U;
	return (unsigned)(state >> 33) % below;
}

#define SAME(condition, what, ...)                                     \
	CHILD_ASSERT(condition, "seed %lu step %u: " what, seed, step, \
		     ##__VA_ARGS__)

/* Both arenas: a row of mappings of random sizes and protections, some pages
 * never touched. Borders lie anywhere, on clusters or between. */
static void lay_out(void)
{
	static const int prots[] = {
		RW, RW, RW, PROT_READ, RW | PROT_EXEC, PROT_READ | PROT_EXEC
	};
	size_t at = (1 + pick(40)) * FF_PAGE, bytes;
	int prot;

	while (at + 300 * FF_PAGE <= ARENA) {
		bytes = (1 + pick(pick(2) ? 40 : 300)) * FF_PAGE;
		prot = prots[pick(6)];
		mprotect(arena + at, bytes, RW);
		for (size_t i = 0; i < bytes; i += FF_PAGE)
			if (pick(4))
				memset(arena + at + i, (int)pick(256), FF_PAGE);
		mprotect(copy + at, bytes, RW);
		memcpy(copy + at, arena + at, bytes);
		mprotect(arena + at, bytes, prot);
		mprotect(copy + at, bytes, prot);
		if (pick(5)) /* else it comes along */
			lose(arena + at, bytes, prot);
		at += bytes;
		if (pick(3) == 0) /* else adjacent */
			at += (1 + pick(30)) * FF_PAGE;
	}
}

/* One page, if it is not absent: nothing is fetched by looking. */
static void compare_page(size_t at)
{
	bool can = is_accessible(copy + at);

	if (ff_absent_bytes((uintptr_t)arena + at, 1))
		return;
	SAME(is_accessible(arena + at) == can, "page %zu", at / FF_PAGE);
	SAME(!can || !memcmp(arena + at, copy + at, FF_PAGE), "page %zu",
	     at / FF_PAGE);
}

static void compare_all(void)
{
	for (size_t at = 0; at < ARENA; at += FF_PAGE)
		compare_page(at);
}

static unsigned prot_of(const struct ff_mapping *m, unsigned count,
			uintptr_t at)
{
	for (unsigned i = 0; i < count; i++)
		if (m[i].start <= at && at < m[i].end)
			return m[i].prot | 0x100;
	return 0;
}

static void compare_protections(void)
{
	static struct ff_mapping m[8192];
	struct ff_maps maps;
	unsigned count = 0;

	SAME(ff_maps_open(&maps) == 0, "no list");
	while (count < 8192 && ff_maps_next(&maps, &m[count]) > 0)
		count++;
	ff_maps_close(&maps);
	for (size_t at = 0; at < ARENA; at += FF_PAGE)
		SAME(prot_of(m, count, (uintptr_t)arena + at) ==
			     prot_of(m, count, (uintptr_t)copy + at),
		     "page %zu: %x, %x", at / FF_PAGE,
		     prot_of(m, count, (uintptr_t)arena + at),
		     prot_of(m, count, (uintptr_t)copy + at));
}

/* The call on both, arguments of addresses and of numbers; what they answer
 * is an error, or an address as far away. */
static void both(long nr, size_t at, size_t bytes, long c, long d, size_t to)
{
	bool moves = nr == SYS_mremap;
	long ours = (long)arena, theirs = (long)copy;
	long e = moves ? ours + (long)to : -1, got, want;

	got = mediated(nr, ours + (long)at, (long)bytes, c, d, e, 0);
	e = moves ? theirs + (long)to : -1;
	want = ff_sys(nr, theirs + (long)at, (long)bytes, c, d, e, 0);
	if (want < 0 && want > -4096)
		SAME(got == want, "call %ld at %zu+%zu: %ld, not %ld", nr,
		     at / FF_PAGE, bytes / FF_PAGE, got, want);
	else
		SAME(got - want == (want ? ours - theirs : 0),
		     "call %ld at %zu+%zu: %lx, %lx", nr, at / FF_PAGE,
		     bytes / FF_PAGE, got, want);
}

/* What the program does by itself, where it may. */
static void touch(size_t at)
{
	volatile char *p = arena + at, *q = copy + at;

	if (!is_accessible(copy + at))
		return;
	SAME(*p == *q, "byte %zx: %d, %d", at, *p, *q);
	/* The kernel says whether it may be written, by writing. */
	if (pick(2) && sys(getrandom, copy + at, 1, 0) == 1)
		*p = *q;
}

static void fetch_range(size_t at, size_t bytes)
{
	SAME(ff_fetch((uintptr_t)arena + at, bytes) == 0, "fetch");
	SAME(ff_absent_bytes((uintptr_t)arena + at, bytes) == 0, "absent");
}

/* Of one page the kernel says the same whatever is merged with what; more
 * grow behind it. */
static void move_page(size_t at, size_t to)
{
	size_t bytes = (1 + pick(100)) * FF_PAGE;

	if (msync(copy + at, FF_PAGE, MS_ASYNC) == 0 &&
	    (to > at || to + bytes <= at))
		both(SYS_mremap, at, FF_PAGE, (long)bytes,
		     MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

static void one_step(void)
{
	static const int prots[] = { RW, PROT_READ, PROT_NONE, RW | PROT_EXEC };
	size_t at = pick(PAGES) * FF_PAGE;
	size_t bytes = (1 + pick(pick(3) ? 20 : 100)) * FF_PAGE;

	if (at + bytes > ARENA)
		bytes = ARENA - at;
	switch (pick(10)) {
	case 0:
		both(SYS_munmap, at, bytes, 0, 0, 0);
		break;
	case 1:
		both(SYS_mmap, at, bytes, prots[pick(4)],
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0);
		break;
	case 2:
		both(SYS_mprotect, at, bytes, prots[pick(4)], 0, 0);
		break;
	case 3:
		both(SYS_madvise, at, bytes,
		     pick(2) ? MADV_DONTNEED : MADV_DONTDUMP, 0, 0);
		break;
	case 4:
		move_page(at, pick(PAGES - 100) * FF_PAGE);
		break;
	case 5:
		fetch_range(at + pick(FF_PAGE), pick(pick(2) ? 100 : 200000));
		break;
	default:
		touch(at + pick(FF_PAGE));
	}
	compare_page(at);
	compare_page(at ? at - FF_PAGE : 0);
	compare_page(at + bytes < ARENA ? at + bytes : at);
}

static void body(void)
{
	struct ff_areas *areas = ff_child.areas;

	for (step = 0; step < STEPS; step++) {
		one_step();
		for (unsigned i = 0; i < areas->count; i++)
			SAME(areas->area[i].start < areas->area[i].end &&
				     (i == 0 || areas->area[i - 1].end <=
							areas->area[i].start),
			     "area %u", i);
		if (step % 50 == 49)
			compare_all();
	}
	if (!ff_child.committed || seed % 2)
		fetch_range(0, ARENA);
	else
		SAME(ff_fetch_all() == 0, "fetch all");
	SAME(ff_absent_bytes((uintptr_t)arena, ARENA) == 0, "absent");
	compare_all();
	compare_protections();
}

static char *reserve(void)
{
	char *p = mmap(NULL, ARENA + 64 * K, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	return p + (-(uintptr_t)p & (64 * K - 1));
}

static void set_up(int i)
{
	const char *given = getenv("UNIT_SEED");

	if (given)
		seed = strtoull(given, NULL, 0);
	else
		ck_assert_int_eq(getrandom(&seed, sizeof(seed), 0),
				 sizeof(seed));
	seed = given ? seed + (unsigned)i : seed >> 8;
	state = seed;
	arena = reserve();
	copy = reserve();
	lay_out();
}

START_TEST(on_trial_memory_calls_do_what_they_do_where_nothing_is_absent)
{
	set_up(_i);
	run_lost(body);
}
END_TEST

START_TEST(committed_memory_calls_do_what_they_do_where_nothing_is_absent)
{
	set_up(_i);
	run_committed(body);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_loop_test(
		tests,
		on_trial_memory_calls_do_what_they_do_where_nothing_is_absent,
		0, ROUNDS);
	tcase_add_loop_test(
		tests,
		committed_memory_calls_do_what_they_do_where_nothing_is_absent,
		0, ROUNDS);
}
