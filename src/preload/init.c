/*
 * Loading and unloading. Other libraries' constructors may call us before
 * ours has run: every name finds what it needs by itself then.
 */
#include <stdlib.h>
#include <unistd.h>

#include "host/next.h"
#include "lazy/ending.h"
#include "lazy/fork.h"
#include "preload/preload.h"
#include "tell/options.h"

__attribute__((constructor)) static void load(void)
{
	/* Every program that is started pays for this: the names that cannot
	 * wait, no more. The others follow at the first fork, or when they
	 * are called. */
	ff_next_find(FF_NEXT_fork);
	ff_next_syscall = FF_NEXT(syscall);
	ff_fork_setup();
}

__attribute__((destructor)) static void unload(void)
{
	ff_ending(FF_ENDING_EXIT);
}
