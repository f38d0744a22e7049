/*
 * Loading and unloading. Other libraries' constructors may call us before
 * ours has run: every name finds what it needs by itself then.
 */
#include "libc/weak.h"
FF_WEAK(__cxa_at_quick_exit)

#include <stdlib.h>
#include <unistd.h>

#include "arch/arch.h"
#include "host/held.h"
#include "libc/libc.h"
#include "libc/threads.h"
#include "preload/next.h"
#include "preload/preload.h"
#include "tell/options.h"
#include "ways/decide.h"
#include "ways/ending.h"

extern void *__dso_handle __attribute__((visibility("hidden")));
int __cxa_at_quick_exit(void (*handler)(void *), void *object);

static void unload_quickly(void *unused)
{
	(void)unused;
	ff_ending(FF_ENDING_EXIT);
}

__attribute__((constructor)) static void load(void)
{
	/*
	 * Every program that is started pays for this: the names that cannot
	 * wait, no more. The others follow at the first fork, or when they
	 * are called. What a child calls that borrows its parent's memory
	 * (vfork) may not be looked for there.
	 */
	static const enum ff_next now[] = {
		FF_NEXT_fork,  FF_NEXT_close,	    FF_NEXT_execve,
		FF_NEXT_execv, FF_NEXT_execvp,	    FF_NEXT_execvpe,
		FF_NEXT__exit, FF_NEXT_sigaction,   FF_NEXT_signal,
		FF_NEXT_ioctl, FF_NEXT_posix_spawn, FF_NEXT_posix_spawnp,
	};
	size_t i;

	if (!ff_libc_is_known()) {
		ff_next_only_forward();
		ff_next_syscall = FF_NEXT(syscall);
		ff_fork_setup();
		return;
	}
	for (i = 0; i < sizeof(now) / sizeof(now[0]); i++)
		ff_next_find(now[i]);
	if (!ff_libc_is_before(39)) {
		ff_next_find(FF_NEXT_pidfd_spawn);
		ff_next_find(FF_NEXT_pidfd_spawnp);
	}
	ff_next_syscall = FF_NEXT(syscall);
	ff_table_may_be_shared = ff_may_have_threads;
	ff_keys_note_start();
	ff_register_own_handler();
	/* The first that is registered, and so the last to run. */
	if (ff_options.on)
		__cxa_at_quick_exit(unload_quickly, &__dso_handle);
	ff_fork_setup_names();
}

__attribute__((destructor)) static void unload(void)
{
	ff_ending(FF_ENDING_EXIT);
}
