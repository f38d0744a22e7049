/* The files that the programs of a run name: made once, in a directory of
 * their own, and removed at the end. */
#ifndef FUZZ_SCENE_H
#define FUZZ_SCENE_H

#include "witness.h"

extern char scene_dir[64];		      /* absolute */
extern volatile struct witness *scene_report; /* what the witness writes */
extern int scene_dir_fd;		      /* close-on-exec, high */
extern int scene_log;			      /* for messages, high */

/* @witness is the path of the witness program. */
void scene_make(const char *witness);
void scene_remove(void);

/* A descriptor of at least 700, close-on-exec; @fd is closed. */
int scene_out_of_the_way(int fd);

/* What an earlier child left in the scene is put back. */
void scene_restore(void);

/* "made" as the last child left it: its inode and mode, or 0, and the bytes
 * of "target", which was 5 long. */
struct scene_effect {
	uint64_t made_ino, made_dev;
	int made_mode;
	long target_bytes;
};
void scene_effect(struct scene_effect *ret);

/* libc itself, for dlsym; ends with "skip" where there is none. */
void *scene_libc(void);

_Noreturn void scene_die(const char *what);
#define MUST(c)                        \
	do {                           \
		if (!(c))              \
			scene_die(#c); \
	} while (0)

#endif
