/*
 * For the shell's completion, not for people: flatfork complete WORD... prints
 * what may stand in place of the last word, behind the others. Or "files"; or
 * "command N": the N-th word of the line begins another command.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "tell/options.h"

static const struct ff_option *option_of(const char *flag)
{
	for (size_t i = 0; i < FF_OPTION_COUNT; i++) {
		const char *own = ff_option_table[i].flag;

		if (own && !strcmp(own, flag))
			return &ff_option_table[i];
	}
	return NULL;
}

/* What stands in capitals is of the user's making. */
static void print_values(const struct ff_option *option)
{
	const char *at = option->values;

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

/* The words behind "run". @index: where they are in the line. */
static void complete_run(char **words, int index)
{
	for (; words[0] && words[1]; words++, index++) {
		const struct ff_option *option = option_of(*words);

		if (!strcmp(*words, "--")) {
			printf("command %d\n", index + 1);
			return;
		}
		if (**words != '-') {
			printf("command %d\n", index);
			return;
		}
		if (option && !words[2]) {
			print_values(option);
			return;
		}
		if (option) {
			words++;
			index++;
		}
	}
	if (words[0] && *words[0] != '-') {
		printf("command %d\n", index);
		return;
	}
	for (size_t i = 0; i < FF_OPTION_COUNT; i++)
		if (ff_option_table[i].flag)
			puts(ff_option_table[i].flag);
}

/* Behind "check" and "trace", which begin at the first word. */
static void complete_command(char **words, int index, const char *flags)
{
	for (; words[1] && **words == '-'; words++, index++)
		if (!strcmp(*words, "--")) {
			printf("command %d\n", index + 1);
			return;
		}
	if (**words == '-')
		cli_flags_print(flags);
	else
		printf("command %d\n", index);
}

static void print_verbs(const char *(*verb)(size_t i))
{
	const char *name;

	for (size_t i = 0; (name = verb(i)); i++)
		puts(name);
}

int cli_complete(char **words, const char *(*verb)(size_t i),
		 const char *(*flags)(const char *verb))
{
	const char *name = words[0], *spec = name ? flags(name) : NULL;
	char **last = words;

	if (!name || !words[1]) {
		print_verbs(verb);
		return 0;
	}
	while (last[1])
		last++;
	if (!strcmp(name, "run"))
		complete_run(words + 1, 2);
	else if (!strcmp(name, "check") || !strcmp(name, "trace"))
		complete_command(words + 1, 2, spec);
	else if (!strcmp(name, "help"))
		print_verbs(verb);
	else if (!strcmp(name, "report") && **last != '-')
		puts("files");
	else if (!strcmp(last[-1], "--root"))
		puts("files");
	else if (spec)
		cli_flags_print(spec);
	return 0;
}
