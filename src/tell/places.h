/* Which way fork() takes at single places in the program, by a file's word. */
#ifndef FF_TELL_PLACES_H
#define FF_TELL_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "tell/options.h"

#define FF_PLACES_MAX 16
#define FF_PLACE_NAME_MAX 48

/* As the log names it: module+0xoffset, or module+function. */
struct ff_place {
	char module[FF_PLACE_NAME_MAX];
	char function[FF_PLACE_NAME_MAX]; /* "": by offset */
	uint64_t offset;
	enum ff_fork_mode mode;
};

struct ff_places {
	unsigned count;
	struct ff_place place[FF_PLACES_MAX];
};

/* Those of this program; filled before the first fork, and not changed. */
extern struct ff_places ff_places;

/* Parse @text, "perl+0x17dd7d" or "perl+Perl_pp_system". Pure. */
bool ff_place_parse(const char *text, struct ff_place *ret_place);

#endif
