/* Memory that its parent keeps from children, or gives them wiped, and moves;
 * what is left of advice afterwards; a stack that grows. */
#include "around.h"
#include "child.h"
#include "marks.h"
#include "scene.h"
#include "steps.h"
#include "world.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RW (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)

enum {
	PAGES = 270, /* the library looks at a MiB and more */
	BYTES = PAGES * WORLD_PAGE,
	GAP = 400 * WORLD_PAGE,
	ROOM = 64 * WORLD_PAGE,
	ALLOCATED = 300 * WORLD_PAGE,
};

static char *kept, *wiped, *place[4], *allocated, *growing;
static bool moved;

static void fill(void)
{
	memset(kept, 'k', BYTES);
	memset(wiped, 'w', BYTES);
	memset(allocated, 'a', ALLOCATED);
}

static bool begin(void)
{
	char *at = mmap(NULL, 8 * BYTES, PROT_NONE, PRIVATE | MAP_NORESERVE, -1,
			0);

	MUST(at != MAP_FAILED);
	for (int i = 0; i < 4; i++)
		place[i] = at + (size_t)i * 2 * BYTES;
	kept = mmap(place[0], BYTES, RW, PRIVATE | MAP_FIXED, -1, 0);
	wiped = mmap(place[2], BYTES, RW, PRIVATE | MAP_FIXED, -1, 0);
	MUST(kept == place[0] && wiped == place[2]);
	MUST(!madvise(kept, BYTES, MADV_DONTFORK));
	MUST(!madvise(wiped, BYTES, MADV_WIPEONFORK));
	allocated = memalign(WORLD_PAGE, ALLOCATED);
	MUST(allocated);
	MUST(!madvise(allocated, ALLOCATED, MADV_DONTFORK));
	/* Room below, which the kernel keeps others from, and nothing that can
	 * be touched near it: there it would not grow. */
	at = mmap(NULL, GAP, PROT_NONE, PRIVATE | MAP_NORESERVE, -1, 0);
	MUST(at != MAP_FAILED);
	growing = mmap(at + GAP - 4 * WORLD_PAGE, 4 * WORLD_PAGE, RW,
		       PRIVATE | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	MUST(growing != MAP_FAILED && !munmap(growing - ROOM, ROOM));
	memset(growing, 'g', 4 * WORLD_PAGE);
	fill();
	return true;
}

/* Where they were there is nothing: filled again, as they come back. Not for a
 * moment is there a hole, in which another thread's mapping might come to lie:
 * it would be mapped over. */
static void move_to(char **what, char *to)
{
	if (*what == to)
		return;
	MUST(mremap(*what, BYTES, BYTES,
		    MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
		    to) == to);
	MUST(mmap(*what, BYTES, PROT_NONE, PRIVATE | MAP_FIXED | MAP_NORESERVE,
		  -1, 0) == *what);
	*what = to;
}

static void before(struct rng *r)
{
	moved = rng_percent(r, 50);
	move_to(&kept, place[moved]);
	move_to(&wiped, place[2 + moved]);
	fill();
}

static uint64_t after(void)
{
	const char *const at[] = { kept, wiped, allocated };
	int marks[3];
	uint64_t h = around_mix(1, marks_at(at, marks, 3));

	for (int i = 0; i < 3; i++)
		h = around_mix(h, (uint64_t)marks[i]);
	h = around_mix(h, world_hash(kept, BYTES));
	h = around_mix(h, world_hash(wiped, BYTES));
	return around_mix(h, world_hash(allocated, ALLOCATED));
}

static char *somewhere(struct rng *r)
{
	char *const all[] = { kept,	wiped,	  allocated, place[0],
			      place[1], place[2], place[3] };

	return RNG_PICK(r, all) + rng_below(r, PAGES - 1) * WORLD_PAGE;
}

static bool lies_in(const char *at, const char *area, size_t bytes)
{
	return at >= area && at < area + bytes;
}

/* Where memory was that is kept from children there is room, for what they map
 * and for what is mapped for them. */
static bool has_room(const char *at)
{
	return lies_in(at, kept, BYTES) || lies_in(at, allocated, ALLOCATED);
}

/* It is there if it is the parent's. */
static long is_it_there(struct rng *r)
{
	const char *at = somewhere(r);
	long result = step_result(msync((void *)at, WORLD_PAGE, MS_ASYNC));

	if (child_has_started)
		return 0;
	if (result == 0 && has_room(at) &&
	    *at != (lies_in(at, kept, BYTES) ? 'k' : 'a'))
		return -ENOMEM;
	return result;
}

static long look_at_wiped(struct rng *r)
{
	return (long)world_hash(wiped + rng_below(r, PAGES - 3) * WORLD_PAGE,
				8000);
}

static long write_wiped(struct rng *r)
{
	memset(wiped + rng_below(r, PAGES - 3) * WORLD_PAGE, 'c', 5000);
	return 1;
}

static long advise(struct rng *r)
{
	static const int advice[] = { MADV_DOFORK, MADV_DONTFORK,
				      MADV_WIPEONFORK, MADV_KEEPONFORK,
				      MADV_DONTNEED };
	char *at = somewhere(r);
	long result = step_result(madvise(at, WORLD_PAGE, RNG_PICK(r, advice)));

	return has_room(at) ? 0 : result;
}

static long hand_on(struct rng *r)
{
	pid_t pid;
	int status;

	(void)r;
	child_has_started = true;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(msync(kept, BYTES, MS_ASYNC) == 0 ? 1 :
		      wiped[500]			? 2 :
							  3);
	/* somebody sends signals, at any moment */
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status;
}

static long grow_down(struct rng *r)
{
	unsigned pages = 1 + rng_below(r, 20);

	for (unsigned i = 1; i <= pages; i++)
		growing[-(int)(i * WORLD_PAGE) + 9] = 1;
	return growing[5] + growing[-4000];
}

static const struct step steps[] = {
	QUIET(5, is_it_there),
	QUIET(4, look_at_wiped),
	QUIET(3, write_wiped),
	QUIET(3, advise),
	STEP(1, hand_on),
	QUIET(3, grow_down),
	{ 0 },
};

const struct around around_advice = {
	"advice", 25, begin, before, NULL, after, steps,
};
