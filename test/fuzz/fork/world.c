/* See world.h. */
#include "world.h"
#include "scene.h"

#include <fcntl.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)

struct region world[WORLD_REGIONS];
char *world_block[WORLD_BLOCKS];
size_t world_block_bytes[WORLD_BLOCKS];
char world_noise[3 * WORLD_PAGE];
FILE *world_stream;

static uint64_t untouched[WORLD_SLICES]; /* the digests, then */

char world_data[3 * WORLD_PAGE] = "initialised";
char world_bss[3 * WORLD_PAGE];

/* Megabytes a case, which memory alone may limit: sums that do not wait for
 * each other, each of the size of a register that every x86-64 has. A compiler
 * keeps bigger ones on the stack, which takes five times as long. */
typedef uint64_t lanes __attribute__((vector_size(16)));

static inline lanes stir(lanes h, const char *at)
{
	lanes words;

	memcpy(&words, at, sizeof(words));
	return (h << 9 | h >> 55) + words;
}

static uint64_t mix(uint64_t all, lanes h)
{
	for (int i = 0; i < 2; i++) {
		all = (all ^ h[i]) * 0x9e3779b97f4a7c15u;
		all ^= all >> 29;
	}
	return all;
}

uint64_t world_hash(const void *at, size_t bytes)
{
	lanes a = { 1, 2 }, b = { 3, 4 }, c = { 5, 6 }, d = { 7, 8 };
	const char *p = at;
	uint64_t all;
	size_t i;

	for (i = 0; i + 4 * sizeof(lanes) <= bytes; i += 4 * sizeof(lanes)) {
		a = stir(a, p + i);
		b = stir(b, p + i + sizeof(lanes));
		c = stir(c, p + i + 2 * sizeof(lanes));
		d = stir(d, p + i + 3 * sizeof(lanes));
	}
	all = mix(mix(mix(mix(bytes, a), b), c), d);
	for (; i < bytes; i++)
		all = (all ^ (unsigned char)p[i]) * 0x100000001b3u;
	return all;
}

static void fill(char *at, size_t bytes, uint64_t seed)
{
	struct rng r = { seed };
	uint64_t word;

	for (size_t i = 0; i + sizeof(word) <= bytes; i += sizeof(word)) {
		word = rng_next(&r);
		memcpy(at + i, &word, sizeof(word));
	}
}

/* A region with a page without access on either side. */
static void add(struct region *g, const char *name, unsigned pages, int prot,
		int flags, int fd)
{
	size_t bytes = (size_t)pages * WORLD_PAGE;
	char *at = mmap(NULL, bytes + 2 * WORLD_PAGE, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	MUST(at != MAP_FAILED);
	g->name = name;
	g->at = at + WORLD_PAGE;
	g->pages = pages;
	MUST(mmap(g->at, bytes, RW, flags | MAP_FIXED, fd, 0) == g->at);
	if (fd < 0)
		fill(g->at, bytes, pages);
	MUST(!mprotect(g->at, bytes, prot));
	memset(g->page, WORLD_MAPPED | prot, pages);
}

/* As many pages as the library's areas have at least, and some. */
static void add_regions(bool big)
{
	struct region *g = world;
	int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
	int fd = open("witness", O_RDONLY | O_CLOEXEC);

	MUST(fd >= 0);
	add(g++, "big", big ? 800 : 320, RW, anonymous, -1);
	add(g++, "odd", big ? 387 : 261, RW, anonymous, -1);
	add(g++, "read-only", 260, PROT_READ, anonymous, -1);
	add(g++, "code", 258, RW | PROT_EXEC, anonymous, -1);
	add(g++, "wiped", 290, RW, anonymous, -1);
	/* half of it, a child finds empty */
	MUST(!madvise(g[-1].at + 150 * WORLD_PAGE, 140 * WORLD_PAGE,
		      MADV_WIPEONFORK));
	add(g++, "shared", 64, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
	add(g++, "file", 2, RW, MAP_PRIVATE, fd);
	/* some of it was never touched */
	add(g++, "sparse", 512, RW, anonymous, -1);
	MUST(!madvise(g[-1].at + 100 * WORLD_PAGE, 300 * WORLD_PAGE,
		      MADV_DONTNEED));
	close(fd);
}

static void add_blocks(void)
{
	static const size_t sizes[] = { 24, 100, 1000, 5000, 70000, 140000 };
	struct rng r = { 77 };

	for (int i = 0; i < WORLD_BLOCKS; i++) {
		world_block_bytes[i] = RNG_PICK(&r, sizes);
		world_block[i] = malloc(world_block_bytes[i]);
		MUST(world_block[i]);
		fill(world_block[i], world_block_bytes[i], (uint64_t)i);
	}
}

void world_restore(void)
{
	const struct region *g = &world[WORLD_SHARED];

	fill(g->at, (size_t)g->pages * WORLD_PAGE, g->pages);
	__fpurge(world_stream);
	MUST(fputs("parent ", world_stream) >= 0);
}

/* Of each so many pages the one whose turn it is. */
static uint64_t hash_slice(uint64_t h, const char *at, size_t bytes,
			   unsigned slice)
{
	for (size_t i = (size_t)slice * WORLD_PAGE; i < bytes;
	     i += (size_t)WORLD_SLICES * WORLD_PAGE)
		h = h * 31 + world_hash(at + i, bytes - i < WORLD_PAGE ?
							bytes - i :
							WORLD_PAGE);
	return h;
}

/* What is small is in every slice. */
static uint64_t digest(unsigned slice)
{
	const struct region *g;
	uint64_t h = world_hash(world_data, sizeof(world_data));
	char *const *e;

	h ^= world_hash(world_bss, sizeof(world_bss));
	for (g = world; g < world + WORLD_REGIONS; g++)
		if (g != &world[WORLD_SHARED])
			h = hash_slice(h, g->at, (size_t)g->pages * WORLD_PAGE,
				       slice);
	for (int i = 0; i < WORLD_BLOCKS; i++)
		h = hash_slice(h, world_block[i], world_block_bytes[i],
			       world_block_bytes[i] <= WORLD_PAGE ? 0 : slice);
	for (e = environ; *e; e++)
		h = h * 31 + world_hash(*e, strlen(*e));
	return h * 31 + __fpending(world_stream);
}

void world_make(bool big)
{
	int fd = scene_out_of_the_way(open("target", O_WRONLY | O_APPEND));

	add_regions(big);
	add_blocks();
	world_stream = fdopen(fd, "a");
	MUST(world_stream && !setvbuf(world_stream, NULL, _IOFBF, 512));
	memset(world_bss + 100, 'z', 100);
	world_restore();
	for (unsigned i = 0; i < WORLD_SLICES; i++)
		untouched[i] = digest(i);
}

bool world_slice_is_untouched(void)
{
	static unsigned turn;
	unsigned slice = turn++ % WORLD_SLICES;

	return digest(slice) == untouched[slice];
}

bool world_is_untouched(void)
{
	bool all = true;

	for (unsigned i = 0; i < WORLD_SLICES; i++)
		all &= digest(i) == untouched[i];
	return all;
}
