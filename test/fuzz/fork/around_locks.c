/* Locks: those that the kernel knows of, which it frees when their holder
 * ends or execs, and those that it doesn't; held by parent or child. */
#include "around.h"
#include "scene.h"
#include "steps.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	SHARED = 4, /* the first ones */
	LOCKS = 8,
};

static const struct {
	int type, robust, protocol;
} kinds[SHARED] = {
	{ PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE },
	{ PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_INHERIT },
	{ PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ROBUST,
	  PTHREAD_PRIO_INHERIT },
	{ PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE },
};

static pthread_mutex_t *lock[LOCKS];
static pthread_mutex_t own[LOCKS - SHARED];
static bool held[LOCKS]; /* by the parent */
static void *robust_list;

static void make(int i)
{
	pthread_mutexattr_t at;

	pthread_mutexattr_init(&at);
	pthread_mutexattr_settype(&at, kinds[i % SHARED].type);
	pthread_mutexattr_setrobust(&at, kinds[i % SHARED].robust);
	pthread_mutexattr_setprotocol(&at, kinds[i % SHARED].protocol);
	if (i < SHARED)
		pthread_mutexattr_setpshared(&at, PTHREAD_PROCESS_SHARED);
	MUST(!pthread_mutex_init(lock[i], &at));
	pthread_mutexattr_destroy(&at);
}

static void *list_of_robust_ones(void)
{
	void *head = NULL;
	size_t bytes;

	syscall(SYS_get_robust_list, 0, &head, &bytes);
	return head;
}

static bool begin(void)
{
	pthread_mutex_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	MUST(shared != MAP_FAILED);
	for (int i = 0; i < LOCKS; i++)
		lock[i] = i < SHARED ? &shared[i] : &own[i - SHARED];
	robust_list = list_of_robust_ones();
	return true;
}

static void before(struct rng *r)
{
	for (int i = 0; i < LOCKS; i++) {
		make(i);
		held[i] = rng_percent(r, 25);
		if (held[i])
			MUST(!pthread_mutex_lock(lock[i]));
	}
}

static uint64_t after(void)
{
	uint64_t h = 1;

	for (int i = 0; i < LOCKS; i++) {
		int rc = held[i] ? 0 : pthread_mutex_trylock(lock[i]);

		h = around_mix(h, (uint64_t)rc);
		if (rc == EOWNERDEAD)
			h = around_mix(
				h, (uint64_t)pthread_mutex_consistent(lock[i]));
		if (rc == 0 || rc == EOWNERDEAD)
			h = around_mix(h,
				       (uint64_t)pthread_mutex_unlock(lock[i]));
	}
	return around_mix(h, list_of_robust_ones() == robust_list);
}

static long take(struct rng *r)
{
	int i = (int)rng_below(r, LOCKS), rc;
	struct timespec past = { 1, 0 };

	rc = rng_percent(r, 50) ? pthread_mutex_trylock(lock[i]) :
				  pthread_mutex_timedlock(lock[i], &past);
	if (rc == 0 && (lock[i]->__data.__owner & 0x3fffffff) != gettid())
		return -1;
	return rc;
}

static long give(struct rng *r)
{
	return pthread_mutex_unlock(lock[rng_below(r, LOCKS)]);
}

static long take_and_give(struct rng *r)
{
	int i = (int)rng_below(r, LOCKS), rc = pthread_mutex_trylock(lock[i]);

	return rc ? rc : 1000 + pthread_mutex_unlock(lock[i]);
}

static long ask(struct rng *r)
{
	(void)r;
	return list_of_robust_ones() == robust_list;
}

static const struct step steps[] = {
	QUIET(6, take), QUIET(3, give), QUIET(3, take_and_give),
	QUIET(1, ask),	{ 0 },
};

const struct around around_locks = {
	"locks", 30, begin, before, NULL, after, steps,
};
