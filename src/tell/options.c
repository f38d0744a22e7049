/*
 * The environment, parsed by the table of options.h. Runs in a constructor,
 * or before it in the first interposed call.
 *
 * Rules: no allocation, no stdio, no locale, no system call.
 */
#include "tell/options.h"

#include <limits.h>
#include <string.h>

#include "arch/hot.h"

struct ff_options ff_options FF_HOT;

/* clang-format off */
#define X(env, kind, field, flag, values, fallback, what)               \
	{ env, FF_OPTION_##kind, offsetof(struct ff_options, field),    \
	  sizeof(((struct ff_options *)0)->field),                      \
	  flag, values, fallback, what },
/* clang-format on */
const struct ff_option ff_option_table[FF_OPTION_COUNT] = { FF_OPTIONS(X) };
#undef X

static char log_text[PATH_MAX];
static char stats_text[PATH_MAX];
static char config_text[PATH_MAX];

/* The index of @value in @words, which bars separate; -1: not there. */
static int word_index(const char *words, const char *value)
{
	const size_t n = strlen(value);

	for (int i = 0; *words; i++) {
		size_t length = strcspn(words, "|");

		if (length == n && !memcmp(words, value, n))
			return i;
		words += length + (words[length] == '|');
	}
	return -1;
}

static bool parse_word(const struct ff_option *option, const char *value,
		       void *ret_field)
{
	const int index = word_index(option->values, value);
	const bool is_second = index == 1;

	if (index < 0)
		return false;
	if (option->bytes == sizeof(bool))
		memcpy(ret_field, &is_second, sizeof(bool));
	else
		memcpy(ret_field, &index, sizeof(index));
	return true;
}

/* Decimal digits from *at, which moves on; false: none, or too many. */
static bool parse_digits(const char **at, uint64_t *ret_n)
{
	uint64_t n = 0;
	const char *s = *at;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*s - '0'), &n))
			return false;
	}
	*at = s;
	*ret_n = n;
	return true;
}

static unsigned suffix_shift(char c)
{
	switch (c) {
	case 'K':
	case 'k':
		return 10;
	case 'M':
	case 'm':
		return 20;
	case 'G':
	case 'g':
		return 30;
	case 'T':
	case 't':
		return 40;
	default:
		return 0;
	}
}

/* Fractions ("1.5G") need a suffix, and at most three digits. */
static bool parse_size(const char *value, uint64_t *ret_bytes)
{
	uint64_t whole, thousandths = 0;
	unsigned shift;

	if (!parse_digits(&value, &whole))
		return false;
	if (*value == '.') {
		const char *point = value++;
		ptrdiff_t digits;

		if (!parse_digits(&value, &thousandths))
			return false;
		digits = value - point - 1;
		if (digits > 3 || !suffix_shift(*value))
			return false;
		for (; digits < 3; digits++)
			thousandths *= 10;
	}
	shift = suffix_shift(*value);
	if (shift)
		value++;
	if (*value || whole > UINT64_MAX >> shift)
		return false;
	whole <<= shift;
	return !__builtin_add_overflow(whole, (thousandths << shift) / 1000,
				       ret_bytes);
}

static bool parse_milliseconds(const char *value, unsigned *ret_ms)
{
	uint64_t n;

	if (!parse_digits(&value, &n) || *value || !n || n > FF_BUDGET_MAX_MS)
		return false;
	*ret_ms = (unsigned)n;
	return true;
}

static bool parse_fallback(const char *value, uint64_t *ret_bytes)
{
	static const char deny[] = "deny:";

	if (!strncmp(value, deny, sizeof(deny) - 1))
		return parse_size(value + sizeof(deny) - 1, ret_bytes);
	if (!strcmp(value, "copy"))
		*ret_bytes = FF_DENY_NEVER;
	else if (!strcmp(value, "deny"))
		*ret_bytes = FF_DENY_BYTES;
	else
		return false;
	return true;
}

static bool parse_path(const char *value, const char **ret_path)
{
	if (!*value || strnlen(value, PATH_MAX) == PATH_MAX)
		return false;
	*ret_path = value;
	return true;
}

/* A name is a file's, without its folder. */
static bool parse_names(const char *value, const char **ret_names)
{
	return !strchr(value, '/') && parse_path(value, ret_names);
}

const char *ff_option_key(const struct ff_option *option)
{
	if (option->kind >= FF_OPTION_CONFIG)
		return NULL;
	return option->flag ? option->flag + 2 : "flatfork";
}

bool ff_option_parse(const struct ff_option *option, const char *value,
		     struct ff_options *ret_options)
{
	void *field = (char *)ret_options + option->offset;

	switch (option->kind) {
	case FF_OPTION_WORD:
		return parse_word(option, value, field);
	case FF_OPTION_SIZE:
		return parse_size(value, field);
	case FF_OPTION_MILLISECONDS:
		return parse_milliseconds(value, field);
	case FF_OPTION_FALLBACK:
		return parse_fallback(value, field);
	case FF_OPTION_PATH:
	case FF_OPTION_CONFIG:
		return parse_path(value, field);
	case FF_OPTION_NAMES:
		return parse_names(value, field);
	}
	return false;
}

void ff_option_wrong(struct ff_line *line, const struct ff_option *option,
		     const char *value)
{
	static const char *const meant[FF_OPTION_NAMES + 1] = {
		[FF_OPTION_SIZE] = "a size: 64M, 2G",
		[FF_OPTION_MILLISECONDS] =
			"a number of milliseconds, 1 to 3600000: 100, 5000",
		[FF_OPTION_FALLBACK] = "copy, deny or deny:SIZE: deny:2G",
		[FF_OPTION_PATH] = "a path: it is empty, or too long",
		[FF_OPTION_CONFIG] = "a path: it is empty, or too long",
		[FF_OPTION_NAMES] = "names of programs: perl,python3*",
	};

	ff_line_char(line, '\'');
	ff_line_foreign(line, value, 200);
	ff_line_str(line, "' is not ");
	if (!meant[option->kind]) {
		ff_line_str(line, "one of ");
		ff_line_str(line, option->values);
	} else {
		ff_line_str(line, meant[option->kind]);
	}
}

static void warn(const struct ff_option *option, const char *value,
		 void (*say)(const char *text, size_t n))
{
	char text[512];
	struct ff_line line = ff_line_start(text, sizeof(text));

	ff_line_str(&line, "flatfork: ");
	ff_line_str(&line, option->env);
	ff_line_str(&line, ": ");
	ff_option_wrong(&line, option, value);
	ff_line_str(&line, "; the default stands, ");
	ff_line_str(&line, *option->fallback ? option->fallback : "none");
	say(text, ff_line_end(&line));
}

/* Does @name match the pattern of @n bytes? At a star, the rest is tried at
 * each later place; the last star alone needs that. */
static bool matches(const char *pattern, size_t n, const char *name)
{
	const char *end = pattern + n, *star = NULL, *retry = NULL;

	while (*name) {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			retry = name;
		} else if (pattern < end && *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool ff_names_have(const char *names, const char *name)
{
	for (;;) {
		size_t n, own;

		while (is_blank(*names))
			names++;
		n = own = strcspn(names, ",");
		while (own && is_blank(names[own - 1]))
			own--;
		if (own && matches(names, own, name))
			return true;
		if (!names[n])
			return false;
		names += n + 1;
	}
}

static bool is_one_of(const char *names, const char *const program[])
{
	for (; *program; program++)
		if (ff_names_have(names, *program))
			return true;
	return false;
}

/* The value of @name in @envp, NULL if not set or empty. */
static const char *find(char *const envp[], const char *name)
{
	size_t n = strlen(name);

	for (; envp && *envp; envp++) {
		if (!strncmp(*envp, name, n) && (*envp)[n] == '=')
			return (*envp)[n + 1] ? *envp + n + 1 : NULL;
	}
	return NULL;
}

static const char *keep(const char *value, char text[PATH_MAX])
{
	if (!value || value == text)
		return value;
	return memcpy(text, value, strlen(value) + 1);
}

void ff_options_settle(const struct ff_options *options)
{
	struct ff_options settled = *options;

	settled.log = keep(settled.log, log_text);
	settled.stats = keep(settled.stats, stats_text);
	settled.config = keep(settled.config, config_text);
	ff_options = settled;
}

void ff_options_load(char *const envp[], const char *const program[],
		     void (*say)(const char *text, size_t n))
{
	struct ff_options options = { 0 };

	for (size_t i = 0; i < FF_OPTION_COUNT; i++) {
		const struct ff_option *option = &ff_option_table[i];
		const char *value = find(envp, option->env);

		/* Before the value: a bad one leaves it as it is. */
		ff_option_parse(option, option->fallback, &options);
		if (value && ff_option_parse(option, value, &options))
			options.said |= (uint32_t)1 << i;
		else if (value)
			warn(option, value, say);
		if (!options.on)
			break;
	}
	if ((options.only && !is_one_of(options.only, program)) ||
	    (options.skip && is_one_of(options.skip, program)))
		options = (struct ff_options){ 0 };
	options.only = options.skip = NULL;
	ff_options_settle(&options);
}
