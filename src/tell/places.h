/* Which way calls take at single places in the program, by a file's word. */
#ifndef FF_TELL_PLACES_H
#define FF_TELL_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "tell/options.h"

#define FF_PLACES_MAX 16 /* a bit for each, in site/site.h */
#define FF_PLACE_NAME_MAX 48

/* The options that may be said of a place, in the order of their keys. */
enum ff_of_place {
	FF_PLACE_FORK,
	FF_PLACE_LEND,
	FF_PLACE_SPAWN,
	FF_PLACE_VFORK,
	FF_PLACE_OPTIONS,
};

/* As the log names it: module+0xoffset, or module+function. */
struct ff_place {
	char module[FF_PLACE_NAME_MAX];
	char function[FF_PLACE_NAME_MAX]; /* "": by offset */
	uint64_t offset;
	enum ff_of_place of;
	int mode; /* what that option would be */
};

struct ff_places {
	unsigned count;
	struct ff_place place[FF_PLACES_MAX];
};

/* Those of this program; filled before the first fork, and not changed. */
extern struct ff_places ff_places;

/* The option that "fork@PLACE" names, and *ret_of; NULL: none that may be said
 * of a place. Pure. */
const struct ff_option *ff_place_option(const char *key,
					enum ff_of_place *ret_of);

/* What @options say of that. */
int ff_place_mode(const struct ff_options *options, enum ff_of_place of);

/* Parse @text, "perl+0x17dd7d" or "perl+Perl_pp_system". Pure. */
bool ff_place_parse(const char *text, struct ff_place *ret_place);

#endif
