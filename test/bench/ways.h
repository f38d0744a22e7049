/* The ways to start the no-op that the spawn benchmark compares. */
#ifndef BENCH_WAYS_H
#define BENCH_WAYS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum way {
	WAY_PRELOAD,  /* posix_spawn, as the program would call it */
	WAY_FLATFORK, /* flatfork_start */
	WAY_GLIBC,    /* libc's own posix_spawn */
	WAY_VFORK,    /* vfork and execve by hand */
	WAY_FLOOR,    /* nothing but a clone that copies nothing, and execve */
	WAYS
};
extern const char *const way_name[WAYS];

/* Once. @child: the program. False: libc's own can't be told from ours. */
bool ways_find(const char *child);

/* One child, from start to reaped, with or without closefrom(3). */
int64_t ways_one(enum way way, bool closefrom);

int64_t now_ns(void);

#endif
