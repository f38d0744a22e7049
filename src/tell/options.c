/*
 * The environment, parsed by the table of options.h. Runs in a constructor,
 * or before it in the first interposed call.
 *
 * Rules: no allocation, no stdio, no locale; no system call but the warning
 * about a bad value.
 */
#include "tell/options.h"

#include <limits.h>
#include <string.h>

#include "arch/hot.h"
#include "host/sys.h"
#include "tell/line.h"

struct ff_options ff_options FF_HOT;

/* clang-format off */
#define X(env, kind, field, flag, values, fallback, what)               \
	{ env, FF_OPTION_##kind, offsetof(struct ff_options, field),    \
	  flag, values, fallback, what },
/* clang-format on */
const struct ff_option ff_option_table[FF_OPTION_COUNT] = { FF_OPTIONS(X) };
#undef X

static char log_text[PATH_MAX];
static char stats_text[PATH_MAX];

static bool parse_switch(const char *value, bool *ret_on)
{
	if (!strcmp(value, "on"))
		*ret_on = true;
	else if (!strcmp(value, "off"))
		*ret_on = false;
	else
		return false;
	return true;
}

static bool parse_mode(const char *value, enum ff_fork_mode *ret_mode)
{
	if (!strcmp(value, "auto"))
		*ret_mode = FF_FORK_AUTO;
	else if (!strcmp(value, "lazy"))
		*ret_mode = FF_FORK_LAZY;
	else if (!strcmp(value, "real"))
		*ret_mode = FF_FORK_REAL;
	else
		return false;
	return true;
}

static bool parse_libc(const char *value, enum ff_libc_mode *ret_mode)
{
	if (!strcmp(value, "auto"))
		*ret_mode = FF_MODE_AUTO;
	else if (!strcmp(value, "libc"))
		*ret_mode = FF_MODE_LIBC;
	else
		return false;
	return true;
}

static bool parse_lend(const char *value, enum ff_lend_mode *ret_mode)
{
	if (!strcmp(value, "off"))
		*ret_mode = FF_LEND_OFF;
	else if (!strcmp(value, "guarded"))
		*ret_mode = FF_LEND_GUARDED;
	else
		return false;
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

static bool parse_path(const char *value, const char **ret_path)
{
	if (!*value || strnlen(value, PATH_MAX) == PATH_MAX)
		return false;
	*ret_path = value;
	return true;
}

bool ff_option_parse(const struct ff_option *option, const char *value,
		     struct ff_options *ret_options)
{
	void *field = (char *)ret_options + option->offset;

	switch (option->kind) {
	case FF_OPTION_SWITCH:
		return parse_switch(value, field);
	case FF_OPTION_MODE:
		return parse_mode(value, field);
	case FF_OPTION_LIBC:
		return parse_libc(value, field);
	case FF_OPTION_LEND:
		return parse_lend(value, field);
	case FF_OPTION_SIZE:
		return parse_size(value, field);
	case FF_OPTION_MILLISECONDS:
		return parse_milliseconds(value, field);
	case FF_OPTION_PATH:
		return parse_path(value, field);
	}
	return false;
}

static void warn(const struct ff_option *option, const char *value)
{
	char text[512];
	struct ff_line line = ff_line_start(text, sizeof(text));

	ff_line_str(&line, "flatfork: ");
	ff_line_str(&line, option->env);
	ff_line_str(&line, "=");
	ff_line_foreign(&line, value, 200);
	ff_line_str(&line, ": not one of ");
	ff_line_str(&line, option->values);
	ff_line_str(&line, "; the default stands");
	if (*option->fallback) {
		ff_line_str(&line, ", ");
		ff_line_str(&line, option->fallback);
	} else {
		ff_line_str(&line, ", none");
	}
	sys(write, 2, text, ff_line_end(&line));
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
	if (!value)
		return NULL;
	return memcpy(text, value, strlen(value) + 1);
}

void ff_options_load(char *const envp[])
{
	struct ff_options options = { 0 };

	for (size_t i = 0; i < FF_OPTION_COUNT; i++) {
		const struct ff_option *option = &ff_option_table[i];
		const char *value = find(envp, option->env);

		/* Before the value: a bad one leaves it as it is. */
		ff_option_parse(option, option->fallback, &options);
		if (value && !ff_option_parse(option, value, &options))
			warn(option, value);
		if (!options.on)
			break;
	}
	options.log = keep(options.log, log_text);
	options.stats = keep(options.stats, stats_text);
	ff_options = options;
}
