/* The child's memory: looking, writing, mapping, libc's allocator. */
#include "steps.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)

struct span {
	struct region *region;
	unsigned first, pages;
	char *at;
	size_t bytes;
};

static struct span pick_span(struct rng *r, unsigned most)
{
	struct span s = { .region = &world[rng_below(r, WORLD_REGIONS)] };

	s.first = rng_below(r, s.region->pages);
	s.pages = 1 + rng_below(r, rng_percent(r, 80) ? 8 : most);
	if (s.pages > s.region->pages - s.first)
		s.pages = s.region->pages - s.first;
	s.at = s.region->at + (size_t)s.first * WORLD_PAGE;
	s.bytes = (size_t)s.pages * WORLD_PAGE;
	return s;
}

static bool allows(const struct span *s, unsigned char what)
{
	for (unsigned i = 0; i < s->pages; i++)
		if ((s->region->page[s->first + i] & what) != what)
			return false;
	return true;
}

static bool is_shared(const struct span *s)
{
	return s->region == &world[WORLD_SHARED];
}

static void now_is(const struct span *s, unsigned char what)
{
	memset(s->region->page + s->first, what, s->pages);
}

static long look(struct rng *r)
{
	struct span s = pick_span(r, 100);
	unsigned shift = rng_below(r, WORLD_PAGE);

	if (!allows(&s, PROT_READ))
		return 0;
	return (long)world_hash(s.at + shift, s.bytes - shift);
}

static long look_here_and_there(struct rng *r)
{
	uint64_t h = 0;

	for (int i = 0; i < 40; i++) {
		struct span s = pick_span(r, 1);

		if (allows(&s, PROT_READ))
			h = h * 31 + (unsigned char)s.at[rng_below(r, 4096)];
	}
	return (long)h;
}

static long scribble(struct rng *r)
{
	struct span s = pick_span(r, 60);

	/* what is shared is of steps_seen */
	if (!allows(&s, RW) || is_shared(&s))
		return 0;
	memset(s.at + rng_below(r, 64), (int)rng_below(r, 256), s.bytes - 64);
	return 1;
}

static long scribble_static(struct rng *r)
{
	world_data[rng_below(r, sizeof(world_data))]++;
	world_bss[rng_below(r, sizeof(world_bss))]--;
	return (long)(world_hash(world_data, sizeof(world_data)) ^
		      world_hash(world_bss, sizeof(world_bss)));
}

/* Looked at, and filled: where the kernel maps something next depends on what
 * else is mapped, of which ours has a little more. */
static long fill_hole(const struct span *s, struct rng *r)
{
	long rc = step_result(msync(s->at, s->bytes, MS_ASYNC)) * 1000;

	if (rng_percent(r, 15))
		rc += step_result(access(s->at, R_OK));

	if (mmap(s->at, s->bytes, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			 MAP_FIXED_NOREPLACE,
		 -1, 0) != s->at)
		return -errno;
	now_is(s, WORLD_MAPPED);
	return rc;
}

static long unmap(struct rng *r)
{
	struct span s = pick_span(r, 100);

	if (munmap(s.at, s.bytes))
		return -errno;
	return fill_hole(&s, r);
}

static long map_anew(struct rng *r)
{
	static const int prots[] = { RW, RW, PROT_READ, PROT_NONE };
	struct span s = pick_span(r, 100);
	int prot = RNG_PICK(r, prots);

	if (mmap(s.at, s.bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0) != s.at)
		return -errno;
	now_is(&s, (unsigned char)(WORLD_MAPPED | prot));
	return 0;
}

static long map_where_something_is(struct rng *r)
{
	struct span s = pick_span(r, 20);
	void *at;

	if (!allows(&s, WORLD_MAPPED))
		return 0;
	at = mmap(s.at, s.bytes, RW,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	return at == MAP_FAILED ? -errno : 1;
}

static long map_somewhere(struct rng *r)
{
	size_t bytes = (1 + rng_below(r, 2000)) * (size_t)WORLD_PAGE;
	char *at = mmap(NULL, bytes, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	memset(at, 'm', bytes > 100000 ? 100000 : bytes);
	return rng_percent(r, 50) ? step_result(munmap(at, bytes)) : 1;
}

static long protect(struct rng *r)
{
	static const int prots[] = { RW, RW, PROT_READ, PROT_NONE,
				     RW | PROT_EXEC };
	struct span s = pick_span(r, 100);
	int prot = RNG_PICK(r, prots);
	unsigned char *page = s.region->page + s.first;
	long rc;

	if (is_shared(&s))
		return 0;
	rc = step_result(mprotect(s.at, s.bytes, prot));
	/* up to the first hole it is done */
	for (unsigned i = 0; i < s.pages && (page[i] & WORLD_MAPPED); i++)
		page[i] = (unsigned char)(WORLD_MAPPED | prot);
	return rc;
}

static long advise(struct rng *r)
{
	static const int advice[] = { MADV_DONTNEED,   MADV_DONTNEED,
				      MADV_FREE,       MADV_DONTDUMP,
				      MADV_NOHUGEPAGE, MADV_SEQUENTIAL,
				      MADV_DONTFORK,   MADV_WILLNEED };
	struct span s = pick_span(r, 100);
	int what = RNG_PICK(r, advice);

	/* what is free may be there for a while, or not */
	if (what == MADV_FREE && (!allows(&s, RW) || is_shared(&s)))
		return 0;
	if (what == MADV_FREE)
		memset(s.at, 0, s.bytes);
	return step_result(madvise(s.at, s.bytes, what));
}

static long move(struct rng *r)
{
	struct span s = pick_span(r, 1), to = pick_span(r, 1);

	if (s.at == to.at || !allows(&s, WORLD_MAPPED) ||
	    !allows(&to, WORLD_MAPPED) || is_shared(&s) ||
	    !strcmp(s.region->name, "file"))
		return 0;
	s.pages = to.pages = 1;
	if (mremap(s.at, WORLD_PAGE, WORLD_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		   to.at) != to.at)
		return -errno;
	to.region->page[to.first] = s.region->page[s.first];
	return fill_hole(&s, r);
}

static long sync_it(struct rng *r)
{
	struct span s = pick_span(r, 20);

	return step_result(msync(s.at, s.bytes, MS_ASYNC));
}

static long move_break(struct rng *r)
{
	size_t bytes = rng_below(r, 100000);
	char *was = sbrk((intptr_t)bytes);

	if (was == (char *)-1)
		return -errno;
	memset(was, 'b', bytes);
	return 1;
}

static long allocate(struct rng *r)
{
	size_t bytes[8];
	char *p[8];
	uint64_t h = 0;

	for (int i = 0; i < 8; i++) {
		bytes[i] = 1 + rng_below(r, rng_percent(r, 90) ? 3000 : 400000);
		p[i] = malloc(bytes[i]);
		if (!p[i])
			return -errno;
		memset(p[i], i, bytes[i]);
	}
	for (int i = 0; i < 8; i++) {
		h = h * 31 + world_hash(p[i], bytes[i]);
		if (rng_percent(r, 80))
			free(p[i]);
	}
	return (long)h;
}

static long change_blocks(struct rng *r)
{
	int i = (int)rng_below(r, WORLD_BLOCKS);
	size_t bytes = 1 + rng_below(r, 100000), less;
	uint64_t h;

	if (!world_block[i])
		return 0;
	less = bytes < world_block_bytes[i] ? bytes : world_block_bytes[i];
	h = world_hash(world_block[i], world_block_bytes[i]);
	if (rng_percent(r, 50)) {
		free(world_block[i]);
		world_block[i] = NULL;
		return (long)h;
	}
	world_block[i] = realloc(world_block[i], bytes);
	if (!world_block[i])
		return -errno;
	world_block_bytes[i] = less;
	return (long)(h ^ world_hash(world_block[i], less));
}

static long change_environment(struct rng *r)
{
	char name[16] = "FUZZ_0", value[200];

	name[5] = (char)('0' + rng_below(r, 8));
	memset(value, 'v', sizeof(value));
	value[rng_below(r, sizeof(value))] = '\0';
	value[sizeof(value) - 1] = '\0';
	return rng_percent(r, 70) ? setenv(name, value, 1) : unsetenv(name);
}

static long buffer_output(struct rng *r)
{
	return fprintf(world_stream, "child %u ", rng_below(r, 1000));
}

static long recurse(unsigned depth)
{
	char page[WORLD_PAGE];

	memset(page, (int)depth, sizeof(page));
	__asm__ volatile("" : : "r"(page) : "memory");
	return depth ? recurse(depth - 1) + page[depth] : 0;
}

static long go_deep(struct rng *r)
{
	return recurse(rng_below(r, 30)) != -1;
}

const struct step steps_memory[] = {
	QUIET(12, look),
	QUIET(8, look_here_and_there),
	QUIET(12, scribble),
	QUIET(4, scribble_static),
	QUIET(5, unmap),
	QUIET(5, map_anew),
	QUIET(2, map_where_something_is),
	QUIET(3, map_somewhere),
	QUIET(5, protect),
	QUIET(4, advise),
	QUIET(3, move),
	QUIET(1, sync_it),
	QUIET(2, move_break),
	QUIET(5, allocate),
	QUIET(5, change_blocks),
	QUIET(3, change_environment),
	QUIET(2, buffer_output),
	QUIET(3, go_deep),
	{ 0 },
};
