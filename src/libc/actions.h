/*
 * libc's file actions where they lie. They are read, in parent and child, and
 * never copied: a spawn allocates nothing, whatever their number.
 *
 * Hazards:
 * H-S13 Their layout is libc's secret. glibc's has been this since 2.29, and
 *       kinds are only appended; whether the libc that is there has it is
 *       asked of it, and what holds a kind, a size or a word that is not known
 *       is libc's to spawn (posix.c).
 */
#ifndef FF_LIBC_ACTIONS_H
#define FF_LIBC_ACTIONS_H

#include <spawn.h>
#include <stdbool.h>
#include <sys/types.h>

enum ff_libc_tag {
	FF_LIBC_CLOSE,
	FF_LIBC_DUP2,
	FF_LIBC_OPEN,
	FF_LIBC_CHDIR,
	FF_LIBC_FCHDIR,
	FF_LIBC_CLOSEFROM, /* 2.34 */
	FF_LIBC_TCSETPGRP, /* 2.35 */
	FF_LIBC_TAGS,
};

/* glibc's struct __spawn_action */
struct ff_libc_action {
	unsigned tag;
	union {
		struct {
			int fd;
			int to; /* DUP2 */
		};
		struct {
			int fd;
			const char *path;
			int flags;
			mode_t mode;
		} open;
		struct {
			const char *path;
		} chdir;
	};
};

/* Has libc this layout, and are these all of known kinds? Context: any. */
bool ff_libc_actions_are_known(const posix_spawn_file_actions_t *actions);

/* Where they lie, and how many, of some that are known. */
const struct ff_libc_action *
ff_libc_actions(const posix_spawn_file_actions_t *actions, unsigned *ret_count);

#endif
