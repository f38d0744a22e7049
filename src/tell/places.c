/* Rules: no allocation, no stdio, no locale, no system call. */
#include "tell/places.h"

#include <stddef.h>
#include <string.h>

struct ff_places ff_places;

static const char *const keys[FF_PLACE_OPTIONS] = {
	[FF_PLACE_FORK] = "fork",
	[FF_PLACE_LEND] = "lend",
	[FF_PLACE_SPAWN] = "spawn",
	[FF_PLACE_VFORK] = "vfork",
};

static const size_t offsets[FF_PLACE_OPTIONS] = {
	[FF_PLACE_FORK] = offsetof(struct ff_options, fork_mode),
	[FF_PLACE_LEND] = offsetof(struct ff_options, lend_mode),
	[FF_PLACE_SPAWN] = offsetof(struct ff_options, spawn_mode),
	[FF_PLACE_VFORK] = offsetof(struct ff_options, vfork_mode),
};

const struct ff_option *ff_place_option(const char *key,
					enum ff_of_place *ret_of)
{
	const size_t n = strcspn(key, "@");
	unsigned of, i;

	for (of = 0; of < FF_PLACE_OPTIONS; of++)
		if (strlen(keys[of]) == n && !memcmp(keys[of], key, n))
			break;
	if (of == FF_PLACE_OPTIONS)
		return NULL;
	*ret_of = of;
	for (i = 0; ff_option_table[i].offset != offsets[of]; i++)
		;
	return &ff_option_table[i];
}

int ff_place_mode(const struct ff_options *options, enum ff_of_place of)
{
	int mode;

	memcpy(&mode, (const char *)options + offsets[of], sizeof(mode));
	return mode;
}

static bool parse_offset(const char *at, uint64_t *ret_offset)
{
	uint64_t n = 0;

	for (; *at; at++) {
		unsigned digit =
			*at >= '0' && *at <= '9' ? (unsigned)(*at - '0') :
			*at >= 'a' && *at <= 'f' ? (unsigned)(*at - 'a') + 10 :
						   16;

		if (digit == 16 || n >> 60)
			return false;
		n = n * 16 + digit;
	}
	*ret_offset = n;
	return n != 0;
}

static bool keep(char *to, const char *from, size_t n)
{
	if (!n || n >= FF_PLACE_NAME_MAX)
		return false;
	memcpy(to, from, n);
	to[n] = '\0';
	return true;
}

bool ff_place_parse(const char *text, struct ff_place *ret_place)
{
	/* libstdc++.so.6+0x1f: the last one counts. */
	const char *plus = strrchr(text, '+');

	if (!plus || !keep(ret_place->module, text, (size_t)(plus - text)))
		return false;
	ret_place->function[0] = '\0';
	ret_place->offset = 0;
	if (!strncmp(plus + 1, "0x", 2))
		return parse_offset(plus + 3, &ret_place->offset);
	return keep(ret_place->function, plus + 1, strlen(plus + 1));
}
