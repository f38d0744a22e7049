/* Where the processes run whose calls fail, what they have, what is started. */
#ifndef INJECT_SCENE_H
#define INJECT_SCENE_H

#include <stdio.h>
#include <unistd.h>

#include "../fuzz/witness.h"

/* The numbers of what a process has open, besides 0, 1 and 2. */
enum {
	FD_FILE = 7,
	FD_DIRECTORY = 9,
	FD_TERMINAL = 20, /* the controlling one */
	FD_HIGH = 200,
};

/* Mapped, shared: what ./witness writes. */
extern struct witness *report;

/* A directory of its own, and into it; the witness is a copy of @witness. */
void make_scene(const char *witness);
void remove_scene(void);

/* In a new process: a session, descriptors, actions, a mask. */
void be_somebody(void);

/* Without what is another in each process. */
void make_comparable(struct witness *w);

#define MUST(c)                                \
	do {                                   \
		if (!(c)) {                    \
			perror("inject: " #c); \
			_exit(1);              \
		}                              \
	} while (0)

#endif
