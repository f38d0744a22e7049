/*
 * Locks that a child behind the fence (fenced.h) takes or holds, of the kinds
 * that know their owner.
 *
 * Test: -l -f fenced-forks-CASE CASE
 */
#include "fenced.h"

#include <pthread.h>

/* It holds locks of all kinds that know their owner. */
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_mutex_t robust_ones[2];
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void holds_locks(void)
{
	CHECK(!pthread_mutex_lock(&recursive));
	CHECK(!pthread_mutex_lock(&checked));
	CHECK(!pthread_rwlock_wrlock(&rwlock));
	writes_much();
	CHECK(!pthread_mutex_lock(&recursive));
	CHECK(!pthread_mutex_unlock(&recursive));
	CHECK(!pthread_mutex_unlock(&recursive));
	CHECK(pthread_mutex_unlock(&recursive) == EPERM);
	CHECK(pthread_mutex_lock(&checked) == EDEADLK);
	CHECK(!pthread_mutex_unlock(&checked));
	CHECK(!pthread_rwlock_unlock(&rwlock));
	CHECK(!pthread_rwlock_tryrdlock(&rwlock));
}

CASE(holds_locks)
{
	note_memory();
	odd(holds_locks);
	CHECK(!pthread_mutex_trylock(&recursive));
	CHECK(!pthread_mutex_trylock(&checked));
	CHECK(!pthread_rwlock_trywrlock(&rwlock));
}

/*
 * Locks of the kinds that hold their owner's id, one a page, on more pages
 * than are kept: at one of them the child becomes a fork, with the id that it
 * is about to store in a register.
 */
static void make_mutex(pthread_mutex_t *mutex, int type, int robust,
		       int protocol, int shared)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type);
	pthread_mutexattr_setrobust(&attr, robust);
	pthread_mutexattr_setprotocol(&attr, protocol);
	pthread_mutexattr_setpshared(&attr, shared);
	CHECK(!pthread_mutex_init(mutex, &attr));
	pthread_mutexattr_destroy(&attr);
}

static pthread_mutex_t *mutex_of(int page)
{
	return (pthread_mutex_t *)(void *)&pages[page * PAGE];
}

static void locks_late(void)
{
	for (int i = 0; i < 64; i++) {
		CHECK(!pthread_mutex_lock(mutex_of(i)));
		CHECK(mutex_of(i)->__data.__owner == 0 ||
		      mutex_of(i)->__data.__owner != first_pid);
	}
	for (int i = 0; i < 64; i++)
		CHECK(!pthread_mutex_unlock(mutex_of(i)));
	CHECK(!pthread_mutex_lock(mutex_of(0)));
	CHECK(!pthread_mutex_unlock(mutex_of(0)));
}

static void with_late_locks(int type, int robust, int protocol)
{
	note_memory();
	for (int i = 0; i < 64; i++)
		make_mutex(mutex_of(i), type, robust, protocol,
			   PTHREAD_PROCESS_PRIVATE);
	odd(locks_late);
	for (int i = 0; i < 64; i++)
		CHECK(!pthread_mutex_trylock(mutex_of(i)));
}

CASE(late_checked)
{
	with_late_locks(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED,
			PTHREAD_PRIO_NONE);
}

CASE(late_pi)
{
	with_late_locks(PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED,
			PTHREAD_PRIO_INHERIT);
}

CASE(late_robust)
{
	with_late_locks(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ROBUST,
			PTHREAD_PRIO_NONE);
}

/* A robust one that others share: who ends with it is found dead. */
static void takes_robust(void)
{
	CHECK(!pthread_mutex_lock(mutex_of(0)));
}

CASE(robust)
{
	pages = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	make_mutex(mutex_of(0), PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST,
		   PTHREAD_PRIO_NONE, PTHREAD_PROCESS_SHARED);
	odd(takes_robust);
	CHECK(pthread_mutex_trylock(mutex_of(0)) == EOWNERDEAD);
	CHECK(!pthread_mutex_consistent(mutex_of(0)));
	CHECK(!pthread_mutex_unlock(mutex_of(0)));
	rounds(4);
}

/* It held them when it became a fork for another reason. */
static void keeps_robust(void)
{
	CHECK(!pthread_mutex_lock(&robust_ones[0]));
	CHECK(!pthread_mutex_lock(&robust_ones[1]));
	forks();
	CHECK(!pthread_mutex_unlock(&robust_ones[0]));
	CHECK(!pthread_mutex_lock(&robust_ones[0]));
	CHECK(!pthread_mutex_unlock(&robust_ones[1]));
	CHECK(!pthread_mutex_unlock(&robust_ones[0]));
}

CASE(keeps_robust)
{
	for (int i = 0; i < 2; i++)
		make_mutex(&robust_ones[i], PTHREAD_MUTEX_ERRORCHECK,
			   PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE,
			   PTHREAD_PROCESS_PRIVATE);
	odd(keeps_robust);
	CHECK(!pthread_mutex_trylock(&robust_ones[0]));
	rounds(4); /* and their parent holds one */
	CHECK(!pthread_mutex_unlock(&robust_ones[0]));
}

CASES_MAIN
