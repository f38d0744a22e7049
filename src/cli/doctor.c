/* flatfork doctor: the facts, the proof, the verdict. */
#include <jansson.h>
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
static json_t *string(const char *s, size_t n)
{
	char *text = strndup(s, n);
	json_t *made;

	for (char *c = text; c && *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	made = text ? json_string(text) : NULL;
	free(text);
	return made;
}

/* A fact, whose name fills its column; else it is a note on what is above. */
static bool is_fact(const char *line, size_t n)
{
	return n > VALUE_AT && *line != ' ' && line[VALUE_AT - 1] == ' ' &&
	       line[VALUE_AT] != ' ' && strncmp(line, "note: ", 6) != 0;
}

static void add_line(json_t *facts, json_t *notes, const char *line, size_t n)
{
	size_t name = VALUE_AT - 1;
	char text[VALUE_AT];

	if (!is_fact(line, n)) {
		const size_t blanks = strspn(line, " ");

		json_array_append_new(notes, string(line + blanks, n - blanks));
		return;
	}
	while (line[name - 1] == ' ')
		name--;
	snprintf(text, sizeof(text), "%.*s", (int)name, line);
	json_object_set_new(facts, text, string(line + VALUE_AT, n - VALUE_AT));
}

/* Nothing of JSON before all is proven: a filter may end us at any call. */
static bool print_json(const char *text, bool works)
{
	json_t *facts = json_object(), *notes = json_array(), *all;
	const char *end;
	bool good;

	for (; (end = strchr(text, '\n')); text = end + 1)
		add_line(facts, notes, text, (size_t)(end - text));
	all = json_pack("{so so sb}", "facts", facts, "notes", notes, "works",
			works);
	good = all && !json_dumpf(all, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(all);
	return good;
}

static int doctor_json(void)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);
	bool works, good;

	works = out && look(out);
	good = out && !fclose(out) && print_json(text, works);
	free(text);
	if (!good) {
		cli_complain("doctor", "no memory");
		return CLI_FAILED;
	}
	return works ? 0 : 1;
}

int cli_doctor(bool json)
{
	if (json)
		return doctor_json();
	return look(stdout) ? 0 : 1;
}
