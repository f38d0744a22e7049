#include "libc/attributes.h"

#include <string.h>

#include "libc/libc.h"

#define LIBC_SIGNALS (FF_SIG(32) | FF_SIG(33)) /* libc never blocks them */
#define FLAGS                                                   \
	(POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP |         \
	 POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |       \
	 POSIX_SPAWN_SETSCHEDPARAM | POSIX_SPAWN_SETSCHEDULER | \
	 POSIX_SPAWN_USEVFORK | POSIX_SPAWN_SETSID)

/* A word of the padding, in headers before 2.39. */
static const int *cgroup_of(const posix_spawnattr_t *attr)
{
	return &attr->__policy + 1;
}

bool ff_libc_attributes_are_known(const posix_spawnattr_t *attr)
{
	const int *rest = cgroup_of(attr);
	int flags = FLAGS;

	if (!ff_libc_is_before(39)) {
		flags |= FF_LIBC_SETCGROUP;
		rest++;
	}
	if (attr->__flags & ~flags)
		return false;
	while ((const void *)rest < (const void *)(attr + 1))
		if (*rest++)
			return false;
	return true;
}

static ff_sigset set_of(const sigset_t *set)
{
	ff_sigset word;

	memcpy(&word, set, sizeof(word));
	return word;
}

struct ff_libc_attributes ff_libc_attributes(const posix_spawnattr_t *attr)
{
	return (struct ff_libc_attributes){
		.flags = attr->__flags,
		.defaults = set_of(&attr->__sd),
		.mask = set_of(&attr->__ss) & ~LIBC_SIGNALS,
		.policy = attr->__policy,
		.priority = attr->__sp.sched_priority,
		.group = attr->__pgrp,
		.cgroup = *cgroup_of(attr),
	};
}
