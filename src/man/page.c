/*
 * Make a manual page of its template: a line @NAME@ becomes what a table of
 * the sources says, all else is copied. Runs where the project is built.
 *
 *	ff-page TEMPLATE PAGE
 *
 * Rule: what is in a table is in no template.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "site/reason.h"
#include "site/tally.h"
#include "tell/options.h"
#include "tell/stats.h"

/* Words of a line of text: nothing of them is markup. */
static void text(FILE *page, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\')
			fputs("\\e", page);
		else if (*s == '-')
			fputs("\\-", page);
		else
			fputc(*s, page);
	}
}

/* A line of text: it opens with a letter, or with what troff passes over. */
static void line(FILE *page, const char *s)
{
	if (!isalnum((unsigned char)*s))
		fputs("\\&", page);
	text(page, s);
	fputc('\n', page);
}

/* "stderr|PATH": what is said as it stands, and what stands for something. */
static void values(FILE *page, const char *s)
{
	while (*s) {
		size_t n = strcspn(s, "|");

		if (n > 5 && !strncmp(s, "deny:", 5))
			fprintf(page, " Cm deny : Ns Ar %.*s", (int)n - 5,
				s + 5);
		else
			fprintf(page, " %s %.*s",
				isupper((unsigned char)*s) ? "Ar" : "Cm",
				(int)n, s);
		s += n;
		if (*s)
			fprintf(page, " %c", *s++);
	}
}

/* What it does, and what @values can't say of its value. */
static void option(FILE *page, const struct ff_option *option)
{
	line(page, option->what);
	if (option->kind == FF_OPTION_SIZE)
		line(page, "(in bytes, or with K, M, G or T: 512K, 1.5G)");
	else if (option->kind == FF_OPTION_MILLISECONDS)
		fprintf(page, "(in milliseconds, 1 to %d)\n", FF_BUDGET_MAX_MS);
	else if (option->kind == FF_OPTION_NAMES)
		line(page, "(* in a name stands for any characters)");
	if (*option->fallback)
		fprintf(page, ".Pq default : Cm %s\n", option->fallback);
	else
		fputs(".Pq default : none\n", page);
}

/* Of the command: those that have a flag. */
static void flags(FILE *page)
{
	for (size_t i = 0; i < FF_OPTION_COUNT; i++) {
		const struct ff_option *o = &ff_option_table[i];

		if (!o->flag)
			continue;
		fputs(".It Fl ", page);
		text(page, o->flag + 1);
		values(page, o->values);
		fprintf(page, "\nSets\n.Ev %s :\n", o->env);
		option(page, o);
	}
}

/* Of a file. */
static void keys(FILE *page)
{
	for (size_t i = 0; i < FF_OPTION_COUNT; i++) {
		const struct ff_option *o = &ff_option_table[i];

		if (!ff_option_key(o))
			continue;
		fputs(".It Cm ", page);
		text(page, ff_option_key(o));
		fputs(" No =", page);
		/* No descriptor is known by name there. */
		values(page, o->kind == FF_OPTION_PATH ? "PATH" : o->values);
		fputc('\n', page);
		option(page, o);
	}
}

static void variables(FILE *page)
{
	for (size_t i = 0; i < FF_OPTION_COUNT; i++) {
		const struct ff_option *o = &ff_option_table[i];

		fprintf(page, ".It Ev %s Ns = Ns", o->env);
		values(page, o->values);
		fputc('\n', page);
		option(page, o);
	}
}

static void counters(FILE *page)
{
#define X(name, what)                      \
	fputs(".It Li " #name "\n", page); \
	line(page, what);
	FF_COUNTERS(X)
#undef X
}

static void places(FILE *page)
{
#define X(name, what)                      \
	fputs(".It Li " #name "\n", page); \
	line(page, what);
	FF_TALLY_WAYS(X)
	FF_TALLY_SUMS(X)
#undef X
}

static void probes(FILE *page)
{
#define FF_PROBES_ROW(name, arguments, what)             \
	fputs(".It Li " #name " " arguments "\n", page); \
	line(page, what);
#include "tell/probes.def"
#undef FF_PROBES_ROW
}

static void reasons(FILE *page)
{
	static const char *const words[] = {
#define X(id, words, commits) words,
		FF_REASONS(X)
#undef X
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!*words[i])
			continue;
		fputs(".It\n", page);
		line(page, words[i]);
	}
}

static void names(FILE *page)
{
#define FF_NAME(name, why)                 \
	fputs(".It Fn " #name "\n", page); \
	line(page, why);
#include "preload/names.def"
#undef FF_NAME
}

static void system_and_version(FILE *page)
{
	fputs(".Os flatfork " FF_VERSION "\n", page);
}

static const struct {
	const char *name;
	void (*print)(FILE *page);
} tables[] = {
	{ "@FLAGS@\n", flags },		  { "@KEYS@\n", keys },
	{ "@VARIABLES@\n", variables },	  { "@COUNTERS@\n", counters },
	{ "@NAMES@\n", names },		  { "@REASONS@\n", reasons },
	{ "@OS@\n", system_and_version }, { "@PLACES@\n", places },
	{ "@PROBES@\n", probes },
};

/* False: the line looks like a table's, and there is none. */
static bool replace(FILE *page, const char *line)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		if (!strcmp(line, tables[i].name)) {
			tables[i].print(page);
			return true;
		}
	}
	if (*line == '@')
		return false;
	fputs(line, page);
	return true;
}

static bool make(FILE *template, FILE *page)
{
	char text[512];

	while (fgets(text, sizeof(text), template)) {
		if (!replace(page, text)) {
			fprintf(stderr, "ff-page: no such table: %s", text);
			return false;
		}
	}
	if (!ferror(template) && !fflush(page) && !ferror(page))
		return true;
	perror("ff-page");
	return false;
}

int main(int argc, char **argv)
{
	FILE *template, *page;
	bool made;

	if (argc != 3)
		return 2;
	template = fopen(argv[1], "re");
	page = template ? fopen(argv[2], "we") : NULL;
	if (!page) {
		fprintf(stderr, "ff-page: %s: %s\n", argv[template ? 2 : 1],
			strerror(errno));
		return 1;
	}
	made = make(template, page);
	fclose(template);
	return fclose(page) || !made;
}
