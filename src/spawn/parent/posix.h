/*
 * <spawn.h> on the plan. Its two objects are libc's, whoever fills them in:
 * here they are read.
 */
#ifndef FF_SPAWN_PARENT_POSIX_H
#define FF_SPAWN_PARENT_POSIX_H

#include <spawn.h>
#include <stdbool.h>
#include <sys/types.h>

struct ff_posix_call {
	const char *file;
	const posix_spawn_file_actions_t *actions; /* or NULL */
	const posix_spawnattr_t *attr;		   /* or NULL */
	char *const *argv;
	char *const *envp;
	bool search;	/* file along PATH */
	bool get_pidfd; /* in place of a pid */
};

/* Is everything known that the objects say? Else it is for libc to do. */
bool ff_posix_knows(const struct ff_posix_call *call);

/*
 * posix_spawn and its like, for a call that is known: 0 with *ret set (NULL:
 * not told), or an errno. @name and @caller are for the log.
 */
int ff_posix_spawn(int *ret, const struct ff_posix_call *call, const char *name,
		   const void *caller);

#endif
