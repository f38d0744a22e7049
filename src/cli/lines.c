/*
 * Any process may have written to such a file. jansson reads what is a whole
 * object, to its own depth; the rest is passed over.
 */
#include "cli/lines.h"

#include <limits.h>
#include <string.h>

static bool is_control(unsigned char c)
{
	return c < ' ' || c == 0x7f;
}

bool cli_line_read(FILE *in, char line[CLI_LINE_MAX])
{
	size_t n;
	int c;

	do {
		n = 0;
		while ((c = getc_unlocked(in)) != EOF && c != '\n') {
			/* What a terminal has put before the line's end. */
			if (n < CLI_LINE_MAX && c != '\r')
				line[n++] = is_control((unsigned char)c) ?
						    '?' :
						    (char)c;
		}
	} while (n == CLI_LINE_MAX);
	line[n] = '\0';
	return n || c == '\n';
}

json_t *cli_line_object(const char *line)
{
	static const char begin[] = "{\"pid\":";
	const char *last;
	json_t *object;

	object = *line == '{' ? json_loads(line, 0, NULL) : NULL;
	if (object)
		return object;
	/* A write that was cut off, as on a full disk: another's line is behind
	 * it; or what a program, or a log of the system, has put before it.
	 * Once, or a line of such beginnings would take for ever. */
	last = strstr(line, begin);
	for (const char *at = last; at && (at = strstr(at + 1, begin));)
		last = at;
	return last ? json_loads(last, 0, NULL) : NULL;
}

bool cli_line_string(const json_t *string, char *text, size_t size)
{
	const char *s = json_string_value(string);

	if (!s)
		return false;
	snprintf(text, size, "%s", s);
	for (char *c = text; *c; c++) {
		/* U+0080 to U+009F are control characters, too. */
		const bool is_c1 = (unsigned char)c[0] == 0xc2 &&
				   (unsigned char)c[1] < 0xa0;

		if (is_control((unsigned char)*c) || is_c1)
			*c = '?';
		if (is_c1 && c[1])
			*++c = '?';
	}
	return true;
}

long long cli_line_add(long long a, long long b)
{
	long long sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return a < 0 ? LLONG_MIN : LLONG_MAX;
}

void cli_line_sums(const char *path, const char *const *names, size_t n,
		   long long *ret_sums)
{
	static char line[CLI_LINE_MAX];
	FILE *in = fopen(path, "re");

	memset(ret_sums, 0, n * sizeof(*ret_sums));
	while (in && cli_line_read(in, line)) {
		json_t *object = cli_line_object(line);

		for (size_t i = 0; i < n; i++)
			ret_sums[i] = cli_line_add(
				ret_sums[i], json_integer_value(json_object_get(
						     object, names[i])));
		json_decref(object);
	}
	if (in)
		fclose(in);
}
