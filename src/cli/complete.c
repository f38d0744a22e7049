/*
 * For the shell's completion, not for people: flatfork complete WORD... prints
 * what may stand in place of the last word, behind the others. Or "files"; or
 * "command N": the N-th word of the line begins another command.
 */
#include <string.h>

#include "cli/cli.h"

static void print_flags(const struct cli_flag *flags)
{
	for (; flags->name; flags++)
		puts(flags->name);
}

/* What stands in capitals is of the user's making. */
static void print_values(const char *at)
{
	if (strstr(at, "PATH")) {
		puts("files");
		return;
	}
	while (*at) {
		size_t n = strcspn(at, "|");

		if (*at >= 'a' && *at <= 'z')
			printf("%.*s\n", (int)n, at);
		at += n + (at[n] == '|');
	}
}

/* Behind run, check and trace, which end at the first word: the last of @words
 * is the one that is asked for. @index: where they begin in the line. */
static void complete_command(char **words, int index,
			     const struct cli_flag *flags)
{
	struct cli_args args;
	enum cli_found found;
	int before = 0;

	while (words[before + 1])
		before++;
	cli_args_begin(&args, flags, words, before);
	do
		found = cli_args_next(&args);
	while (found != CLI_FOUND_END && found != CLI_FOUND_WORD &&
	       !(found == CLI_FOUND_NO_VALUE && !args.value));
	if (found == CLI_FOUND_NO_VALUE)
		print_values(args.flag->value);
	else if (found == CLI_FOUND_END && !args.is_cut &&
		 *words[before] == '-')
		print_flags(flags);
	else
		printf("command %d\n", index + args.at - 1);
}

static void print_verbs(const char *(*verb)(size_t i))
{
	const char *name;

	for (size_t i = 0; (name = verb(i)); i++)
		puts(name);
}

int cli_complete(char **words, const char *(*verb)(size_t i),
		 const struct cli_flag *(*flags)(const char *verb))
{
	const char *name = words[0];
	const struct cli_flag *takes = name ? flags(name) : NULL;
	char **last = words;

	if (!name || !words[1]) {
		print_verbs(verb);
		return 0;
	}
	while (last[1])
		last++;
	if (!strcmp(name, "run") || !strcmp(name, "check") ||
	    !strcmp(name, "trace"))
		complete_command(words + 1, 2, takes);
	else if (!strcmp(name, "help"))
		print_verbs(verb);
	else if (!strcmp(name, "report") && **last != '-')
		puts("files");
	else if (!strcmp(last[-1], "--root"))
		puts("files");
	else if (takes)
		print_flags(takes);
	return 0;
}
