#include "preload/next.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "arch/hot.h"
#include "host/sys.h"
#include "libc/next.h"
#include "libc/place.h"

#define FF_NAME(name, why) #name,
static const char *const names[] = {
#include "preload/names.def"
};
#undef FF_NAME

__attribute__((visibility("hidden"))) void *ff_next_of[FF_NEXT_COUNT] FF_HOT;

/* Written before the address is. */
static bool is_anothers[FF_NEXT_COUNT] FF_HOT;

/* What is not there and called all the same: as if we were not there. */
static int end_like_ld_so(void)
{
	static const char text[] =
		"flatfork: symbol lookup error: a function that this libc has "
		"not got was called\n";

	sys(write, 2, text, sizeof(text) - 1);
	sys(exit_group, 127);
	__builtin_unreachable();
}

static int refuse_thread(void)
{
	return EAGAIN;
}

/* threads.h has values of its own: thrd_error is 2 in all libcs. */
static int refuse_thrd(void)
{
	return 2;
}

/* What serves for a name that no object behind us has; NULL: the one who calls
 * it looks. */
static void *instead_of(enum ff_next which)
{
	switch (which) {
	case FF_NEXT___fork:
	case FF_NEXT___libc_fork:
	case FF_NEXT__Fork:
	case FF_NEXT___register_atfork:
	case FF_NEXT_execveat:
	case FF_NEXT_forkpty:
	case FF_NEXT_mseal:
	case FF_NEXT_pidfd_spawn:
	case FF_NEXT_pidfd_spawnp:
	case FF_NEXT_process_madvise:
		return NULL;
	case FF_NEXT___sigaction:
		return ff_next_find(FF_NEXT_sigaction);
	case FF_NEXT___waitpid:
		return ff_next_find(FF_NEXT_waitpid);
	case FF_NEXT___longjmp_chk:
		return ff_next_find(FF_NEXT_longjmp);
	case FF_NEXT_pthread_create:
		return (void *)refuse_thread;
	case FF_NEXT_thrd_create:
		return (void *)refuse_thrd;
	default:
		return (void *)end_like_ld_so;
	}
}

void *ff_next_find(enum ff_next which)
{
	void *found = ff_libc_next(names[which]);

	/* A library that is loaded later may have it yet. */
	if (!found)
		return instead_of(which);
	is_anothers[which] = !ff_is_libcs(found);
	__atomic_store_n(&ff_next_of[which], found, __ATOMIC_RELEASE);
	return found;
}

/* Names that libcs in use lack: asking for one costs an error message, which
 * is allocated. They are looked for when they are called. */
static const bool is_late[FF_NEXT_COUNT] = {
	[FF_NEXT_mseal] = true,
	[FF_NEXT_pidfd_spawn] = true,
	[FF_NEXT_pidfd_spawnp] = true,
	[FF_NEXT_process_madvise] = true,
};

const char *ff_next_name(enum ff_next which)
{
	return names[which];
}

bool ff_next_is_anothers(enum ff_next which)
{
	if (!__atomic_load_n(&ff_next_of[which], __ATOMIC_ACQUIRE) &&
	    !is_late[which])
		ff_next_find(which);
	return is_anothers[which];
}

static _Atomic bool all_found FF_HOT;

void ff_next_find_all(void)
{
	int i;

	if (all_found)
		return;
	for (i = 0; i < FF_NEXT_COUNT; i++)
		if (!ff_next_of[i] && !is_late[i])
			ff_next_find((enum ff_next)i);
	all_found = true;
}

void ff_next_only_forward(void)
{
	int i;

	for (i = 0; i < FF_NEXT_COUNT; i++) {
		if (!ff_next_of[i])
			ff_next_find((enum ff_next)i);
		if (!ff_next_of[i])
			ff_libc_withdraw(names[i]);
	}
	all_found = true;
}
