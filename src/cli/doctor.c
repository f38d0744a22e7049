/* flatfork doctor: the facts, the proof, the verdict. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define VALUE_AT 23 /* the column where the value of a fact begins */

static bool look(FILE *out)
{
	bool ground, works;

	ground = cli_ground_print(out);
	cli_config_print(out);
	fflush(out);
	works = cli_proof(out);
	if (works && !ground)
		fputs("note: it worked against what the lines above say\n",
		      out);
	return works;
}

/* Bytes of a file's name that are not ASCII become '?': it may be any. */
static void print_string(const char *s, size_t n)
{
	putchar('"');
	for (; n; n--, s++) {
		if (*s == '"' || *s == '\\')
			putchar('\\');
		putchar(*s < ' ' || *s > '~' ? '?' : *s);
	}
	putchar('"');
}

/* A fact, whose name fills its column; else it is a note on what is above. */
static bool is_fact(const char *line, size_t n)
{
	return n > VALUE_AT && *line != ' ' && line[VALUE_AT - 1] == ' ' &&
	       line[VALUE_AT] != ' ' && strncmp(line, "note: ", 6) != 0;
}

static void print_lines(const char *text, bool facts)
{
	const char *comma = "", *end;

	for (; (end = strchr(text, '\n')); text = end + 1) {
		size_t n = (size_t)(end - text), name = VALUE_AT - 1;

		if (is_fact(text, n) != facts)
			continue;
		fputs(comma, stdout);
		comma = ",";
		if (!facts) {
			while (n && *text == ' ')
				text++, n--;
			print_string(text, n);
			continue;
		}
		while (text[name - 1] == ' ')
			name--;
		print_string(text, name);
		putchar(':');
		print_string(text + VALUE_AT, n - VALUE_AT);
	}
}

static int doctor_json(void)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	bool works;

	if (!out) {
		cli_complain("doctor", "no memory");
		return CLI_FAILED;
	}
	works = look(out);
	fclose(out);
	fputs("{\"facts\":{", stdout);
	print_lines(text, true);
	fputs("},\"notes\":[", stdout);
	print_lines(text, false);
	printf("],\"works\":%s}\n", works ? "true" : "false");
	free(text);
	return works ? 0 : 1;
}

int cli_doctor(bool json)
{
	if (json)
		return doctor_json();
	return look(stdout) ? 0 : 1;
}
