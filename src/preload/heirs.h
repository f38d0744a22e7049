/*
 * Before exec and spawn: what is started gets an environment without us, where
 * a configuration file says so. The caller's own is not written to, and the
 * copy lies on the caller's stack, as a child of vfork has no other memory
 * that is its own.
 */
#ifndef FF_PRELOAD_HEIRS_H
#define FF_PRELOAD_HEIRS_H

#include <alloca.h>
#include <stdatomic.h>
#include <stddef.h>

#include "ways/heirs.h"

/* What a copy of @envp needs; 0: it is handed on as it is. Bigger ones are, and
 * those of which a part can't be read, for the kernel to say so. Keeps errno. */
size_t ff_heirs_bytes(char *const envp[]);
char *const *ff_heirs_copy(void *to, size_t bytes, char *const envp[]);

/* @envp is a variable. */
#define FF_HEIRS(envp)                                                        \
	do {                                                                  \
		size_t bytes_ = 0;                                            \
		if (atomic_load(&ff_heirs_are_without_us))                    \
			bytes_ = ff_heirs_bytes(envp);                        \
		if (bytes_)                                                   \
			(envp) = ff_heirs_copy(alloca(bytes_), bytes_, envp); \
	} while (0)

#endif
