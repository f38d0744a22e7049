/* Protection keys of the program's own: a secret that may be read, and is
 * written by who changes its rights. */
#include "around.h"
#include "scene.h"
#include "steps.h"
#include "world.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum {
	BYTES = 2 * WORLD_PAGE,
};

static char *secret;
static int key;

static bool begin(void)
{
	key = pkey_alloc(0, 0);
	if (key < 0)
		return false;
	secret = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(secret != MAP_FAILED);
	return !pkey_mprotect(secret, BYTES, PROT_READ | PROT_WRITE, key);
}

static void before(struct rng *r)
{
	pkey_set(key, 0);
	memset(secret, 's', BYTES);
	pkey_set(key, rng_percent(r, 70) ? PKEY_DISABLE_WRITE : 0);
}

static uint64_t after(void)
{
	return around_mix(world_hash(secret, BYTES), (uint64_t)pkey_get(key));
}

static long wipe(struct rng *r)
{
	int was = pkey_get(key);

	pkey_set(key, 0);
	memset(secret + rng_below(r, 100), 0, BYTES - 100);
	pkey_set(key, (unsigned)was);
	return was;
}

static long ask(struct rng *r)
{
	return (long)world_hash(secret + rng_below(r, 10) * 8, 800) +
	       pkey_get(key);
}

static long change(struct rng *r)
{
	return step_result(pkey_set(key, rng_below(r, 2) * 2));
}

static long have_another(struct rng *r)
{
	int another = pkey_alloc(0, PKEY_DISABLE_WRITE);
	char *at;

	if (another < 0)
		return -errno;
	at = mmap(NULL, WORLD_PAGE, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return -errno;
	if (rng_percent(r, 50))
		*at = 1;
	return pkey_mprotect(at, WORLD_PAGE, PROT_READ | PROT_WRITE, another) +
	       pkey_get(another);
}

static const struct step steps[] = {
	STEP(4, wipe),	       QUIET(3, ask), STEP(2, change),
	STEP(1, have_another), { 0 },
};

const struct around around_keys = {
	"keys", 15, begin, before, NULL, after, steps,
};
