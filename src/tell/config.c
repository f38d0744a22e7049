/*
 * Rules: no allocation, no stdio, no locale, no errno; raw system calls, and
 * those only to map a file.
 *
 * Hazards
 *  H-G5 Whoever can write what we read decides where a log goes, and whose
 *       forks are lazy: so a file must be root's or the user's own, and
 *       nobody else's to write. It is looked at when it is open, as a name may
 *       lead elsewhere by then.
 */
#include "tell/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "host/device.h"
#include "host/sys.h"
#include "libc/libc.h"

/* A complaint in the making: "PATH:LINE: ". */
struct complaint {
	char text[FF_CONFIG_LINE_MAX];
	struct ff_line line;
};

static struct ff_line *begin(struct complaint *c, const char *path,
			     unsigned number)
{
	c->line = ff_line_start(c->text, sizeof(c->text));
	ff_line_foreign(&c->line, path, 200);
	if (number) {
		ff_line_char(&c->line, ':');
		ff_line_unsigned(&c->line, number, 10);
	}
	ff_line_str(&c->line, ": ");
	return &c->line;
}

static void utter(const struct ff_config *config, struct complaint *c)
{
	if (config->complain)
		config->complain(config->arg, &c->line);
}

static void complain(const struct ff_config *config, const char *path,
		     unsigned number, const char *what)
{
	struct complaint c;

	ff_line_str(begin(&c, path, number), what);
	utter(config, &c);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Blanks at both ends go; @end is written to. */
static char *trim(char *start, char *end)
{
	while (start < end && is_blank(*start))
		start++;
	while (end > start && is_blank(end[-1]))
		end--;
	*end = '\0';
	return start;
}

static const struct ff_option *option_of(const char *key)
{
	for (size_t i = 0; i < FF_OPTION_COUNT; i++) {
		const char *own = ff_option_key(&ff_option_table[i]);

		if (own && !strcmp(own, key))
			return &ff_option_table[i];
	}
	return NULL;
}

static void no_such_key(const struct ff_config *config, const char *path,
			unsigned number, const char *key)
{
	struct complaint c;
	struct ff_line *line = begin(&c, path, number);
	const char *comma = "' is not one of ";

	ff_line_char(line, '\'');
	ff_line_foreign(line, key, 100);
	for (size_t i = 0; i < FF_OPTION_COUNT; i++) {
		const char *own = ff_option_key(&ff_option_table[i]);

		if (!own)
			continue;
		ff_line_str(line, comma);
		ff_line_str(line, own);
		comma = ", ";
	}
	utter(config, &c);
}

static void bad_value(const struct ff_config *config, const char *path,
		      unsigned number, const struct ff_option *option,
		      const char *value)
{
	struct complaint c;
	struct ff_line *line = begin(&c, path, number);

	ff_line_str(line, ff_option_key(option));
	ff_line_str(line, ": ");
	/* Processes of many folders and terminals read the same file. */
	if (option->kind == FF_OPTION_PATH && *value && *value != '/') {
		ff_line_char(line, '\'');
		ff_line_foreign(line, value, 200);
		ff_line_str(line, "' is not an absolute path");
	} else {
		ff_option_wrong(line, option, value);
	}
	utter(config, &c);
}

/* "fork@PLACE": @at is where the place begins. */
static void set_place(struct ff_config *config, const char *path,
		      unsigned number, const char *key, const char *at,
		      const char *value)
{
	struct ff_place place = { .mode = 0 };
	const struct ff_option *option = ff_place_option(key, &place.of);
	struct ff_places *places = config->places;
	struct ff_options options;

	if (!option) {
		complain(config, path, number,
			 "of a place are fork, lend, spawn and vfork; all else "
			 "is of programs: [perl]");
		return;
	}
	if (!ff_option_parse(option, value, &options)) {
		bad_value(config, path, number, option, value);
		return;
	}
	place.mode = ff_place_mode(&options, place.of);
	if (!ff_place_parse(at, &place))
		complain(config, path, number,
			 "not a place: fork@perl+0x17d6ee, "
			 "fork@perl+Perl_pp_fork");
	else if (places && places->count == FF_PLACES_MAX)
		complain(config, path, number, "more places than 16");
	else if (places)
		places->place[places->count++] = place;
}

static void set(struct ff_config *config, const char *path, unsigned number,
		const char *key, const char *value)
{
	const struct ff_option *option = option_of(key);
	struct ff_options options = config->options;

	if (strchr(key, '@')) {
		set_place(config, path, number, key, strchr(key, '@') + 1,
			  value);
		return;
	}
	if (!option) {
		no_such_key(config, path, number, key);
		return;
	}
	if ((option->kind == FF_OPTION_PATH && *value != '/') ||
	    !ff_option_parse(option, value, &options)) {
		bad_value(config, path, number, option, value);
		return;
	}
	if (!(config->said & (uint32_t)1 << (option - ff_option_table)))
		config->options = options;
}

static bool is_meant(const struct ff_config *config, const char *names)
{
	const char *const *program = config->program;

	for (; program && *program; program++)
		if (ff_names_have(names, *program))
			return true;
	return !config->program;
}

/* What stands between brackets. Of a section that nobody can tell, all that
 * follows is nobody's: it is not what it says to the programs before it. */
static void take_section(struct ff_config *config, const char *path,
			 unsigned number, char *at, char *end, bool *meant)
{
	const bool closed = end[-1] == ']';
	char *names = trim(at + 1, closed ? end - 1 : end);

	if (!closed || !*names || strchr(names, '/')) {
		*meant = !config->program;
		complain(config, path, number,
			 "not names of programs: [perl,python3*]");
		return;
	}
	*meant = is_meant(config, names);
}

/* One line, trimmed. *meant: the section it is in is this program's. */
static void take_line(struct ff_config *config, const char *path,
		      unsigned number, char *at, char *end, bool *meant)
{
	char *equals;

	if (!*at || *at == '#' || *at == ';')
		return;
	if (*at == '[') {
		take_section(config, path, number, at, end, meant);
		return;
	}
	if (!*meant)
		return;
	equals = strchr(at, '=');
	if (equals)
		set(config, path, number, trim(at, equals),
		    trim(equals + 1, end));
	else
		complain(config, path, number,
			 "neither [NAME,...] nor OPTION = VALUE");
}

void ff_config_parse(struct ff_config *config, const char *path, char *text,
		     size_t n)
{
	char *end = text + n, *at = text, *newline;
	bool meant = true;
	unsigned number;

	/* No text of anybody's, of which a part may look like one. */
	if (memchr(text, '\0', n)) {
		complain(config, path, 0,
			 "not a text, it has a byte 0: not read");
		return;
	}
	/* What some editors put before the text (UTF-8's byte order mark). */
	if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		at += 3;
	for (number = 1; at < end; number++, at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline)
			newline = end;
		at = trim(at, newline);
		take_line(config, path, number, at, at + strlen(at), &meant);
	}
}

/* NULL, or why not. An empty device is an empty file: a way to have none. */
static const char *why_not_trusted(const struct stat *s, uid_t own)
{
	if (S_ISCHR(s->st_mode) && ff_major(s->st_rdev) == 1 &&
	    ff_minor(s->st_rdev) == 3)
		return NULL;
	if (!S_ISREG(s->st_mode))
		return "not a file: not read";
	if (s->st_uid && s->st_uid != own)
		return "another user's: not read";
	if (s->st_mode & (S_IWGRP | S_IWOTH))
		return "others may write it: not read (chmod go-w)";
	if ((size_t)s->st_size >= FF_CONFIG_MAX)
		return "more than 64 KiB: not read";
	return NULL;
}

/* As libc looks at what it loads: a filter allows it. */
static long look_at(int fd, struct stat *ret_stat)
{
	return ff_libc_is_before(39) ?
		       sys(newfstatat, fd, "", ret_stat, AT_EMPTY_PATH) :
		       sys(fstat, fd, ret_stat);
}

static char *map_open(const struct ff_config *config, const char *path, int fd,
		      size_t *ret_bytes)
{
	const char *why = "can't be looked at";
	struct stat s;
	long text, n, got = 0;

	if (!look_at(fd, &s))
		why = why_not_trusted(&s, config->user ?
						  *config->user :
						  (uid_t)getauxval(AT_EUID));
	if (why) {
		complain(config, path, 0, why);
		return NULL;
	}
	text = sys(mmap, NULL, FF_CONFIG_MAX, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ff_is_error(text))
		return NULL;
	/* One byte is left for the end of the last line. */
	while ((size_t)got < FF_CONFIG_MAX - 1 &&
	       (n = sys(read, fd, text + got,
			FF_CONFIG_MAX - 1 - (size_t)got)) > 0)
		got += n;
	*ret_bytes = (size_t)got;
	return (char *)text;
}

char *ff_config_map_opened(const struct ff_config *config, const char *path,
			   long fd, bool optional, size_t *ret_bytes)
{
	char *text;

	if (fd < 0) {
		if (!optional)
			complain(config, path, 0,
				 fd == -ENOENT ? "there is no such file" :
				 fd == -EACCES ? "may not be read" :
				 fd == -ELOOP  ? "leads in a circle" :
						 "can't be opened");
		return NULL;
	}
	text = map_open(config, path, (int)fd, ret_bytes);
	sys(close, fd);
	return text;
}

char *ff_config_map(const struct ff_config *config, const char *path,
		    bool optional, size_t *ret_bytes)
{
	return ff_config_map_opened(
		config, path, sys(openat, AT_FDCWD, path, FF_CONFIG_OPEN, 0),
		optional, ret_bytes);
}

void ff_config_unmap(char *text)
{
	sys(munmap, text, FF_CONFIG_MAX);
}
