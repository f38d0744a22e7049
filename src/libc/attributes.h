/*
 * What is in libc's attributes of a spawn. Their layout is public, but for a
 * word that newer glibcs read; whoever fills them in, here they are read.
 */
#ifndef FF_LIBC_ATTRIBUTES_H
#define FF_LIBC_ATTRIBUTES_H

#include <spawn.h>
#include <stdbool.h>
#include <sys/types.h>

#include "host/signals.h"

#define FF_LIBC_SETCGROUP 0x100 /* glibc 2.39's; what older headers lack */

struct ff_libc_attributes {
	int flags; /* POSIX_SPAWN_*, and the above */
	ff_sigset defaults, mask;
	int policy, priority;
	pid_t group;
	int cgroup; /* a descriptor, where the flag says so */
};

/* Is everything known that they say? Context: any. */
bool ff_libc_attributes_are_known(const posix_spawnattr_t *attr);

/* For some that are known. */
struct ff_libc_attributes ff_libc_attributes(const posix_spawnattr_t *attr);

#endif
