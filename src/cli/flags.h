/* The flags of a command, as they stand in its row of main.c. */
#ifndef FF_CLI_FLAGS_H
#define FF_CLI_FLAGS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

struct cli_flag {
	const char *name;  /* "--size"; NULL: no more */
	const char *value; /* what its value is called; NULL: it takes none */
};

#define CLI_FLAGS_MAX 24

enum cli_found {
	CLI_FOUND_FLAG,	   /* flag, and value if it takes one */
	CLI_FOUND_WORD,	   /* one that is no flag: at */
	CLI_FOUND_END,	   /* at: behind the last, or behind "--" */
	CLI_FOUND_HELP,	   /* --help, or -h */
	CLI_FOUND_UNKNOWN, /* at; flag: what it abbreviates, or NULL */
	CLI_FOUND_NO_VALUE, /* flag wants one; value: "", or NULL: no more words */
	CLI_FOUND_NEEDLESS, /* flag takes none */
};

struct cli_args {
	const struct cli_flag *takes;
	int words;
	char **argv; /* from 1 on */
	struct option table[CLI_FLAGS_MAX + 2];

	/* of what was found */
	int at; /* in argv */
	const struct cli_flag *flag;
	const char *value;
	bool is_cut; /* by "--" */
};

/* @argv: behind the command's name, which is argv[-1]. One at a time. */
void cli_args_begin(struct cli_args *args, const struct cli_flag *takes,
		    char **argv, int words);
enum cli_found cli_args_next(struct cli_args *args);

/*
 * Take the flags @takes out of @argv: up to "--", which goes, too, or with
 * @ends_at_word to the first word that is none. Each goes to @take, or with
 * NULL is kept for cli_flag(). False after a complaint.
 * *ret_help: --help was one, and no more was looked at.
 */
bool cli_flags_take(const char *where, const struct cli_flag *takes,
		    bool (*take)(size_t i, const char *value), char **argv,
		    bool ends_at_word, bool *ret_help);

/* What was said of one, "" where it takes no value; NULL: it was not said. */
const char *cli_flag(const char *name);

#endif
