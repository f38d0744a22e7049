#ifndef BEHIND_H
#define BEHIND_H

#include <spawn.h>

enum {
	BEHIND_FORK,
	BEHIND_VFORK,
	BEHIND_CLOSE,
	BEHIND_SPAWN,
	BEHIND_KINDS
};

extern int behind_count[BEHIND_KINDS];

#endif
