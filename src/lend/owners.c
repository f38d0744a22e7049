#include "lend/owners.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/uio.h>

#include "host/sys.h"

/* glibc's: bits of pthread_mutex_t.__kind that there are. */
#define KINDS 0x3ff
/* of pthread_rwlock_t.__readers: a writer has it */
#define WRITTEN 3

/* What the word at @at may be part of, if that is memory at all. */
static bool read_around(void *to, size_t bytes, uintptr_t at)
{
	struct iovec local = { to, bytes };
	struct iovec remote = { (void *)at, bytes };

	return at % sizeof(uint64_t) == 0 &&
	       sys(process_vm_readv, ff_getpid(), &local, 1, &remote, 1, 0) ==
		       (long)bytes;
}

/* By the only thread there is. */
static bool is_locked(const pthread_mutex_t *m)
{
	return m->__data.__lock && m->__data.__nusers == 1 &&
	       !(m->__data.__kind & ~KINDS);
}

static bool is_written(const pthread_rwlock_t *l)
{
	return (l->__data.__readers & WRITTEN) == WRITTEN &&
	       !l->__data.__pad3 && !l->__data.__pad4 &&
	       (unsigned)l->__data.__shared <= 1 &&
	       l->__data.__flags <= PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
}

static bool change_mutex(int *owner, pid_t now)
{
	uintptr_t at = (uintptr_t)owner -
		       offsetof(pthread_mutex_t, __data.__owner);
	pthread_mutex_t seen, *m = (pthread_mutex_t *)at;

	if (!read_around(&seen, sizeof(seen), at) || !is_locked(&seen))
		return false;
	/* robust ones and those that inherit priority */
	if ((seen.__data.__lock & FUTEX_TID_MASK) == seen.__data.__owner)
		m->__data.__lock = (seen.__data.__lock & ~FUTEX_TID_MASK) | now;
	*owner = now;
	return true;
}

static void change_rwlock(int *writer, pid_t now)
{
	uintptr_t at = (uintptr_t)writer -
		       offsetof(pthread_rwlock_t, __data.__cur_writer);
	pthread_rwlock_t seen;

	if (read_around(&seen, sizeof(seen), at) && is_written(&seen))
		*writer = now;
}

void ff_owners_change(void *memory, const void *was, size_t bytes, pid_t before,
		      pid_t now)
{
	int *word = memory;
	const int *old = was;
	size_t i;

	for (i = 0; i < bytes / sizeof(*word); i++)
		if (word[i] == before && old[i] != before &&
		    !change_mutex(&word[i], now))
			change_rwlock(&word[i], now);
}
