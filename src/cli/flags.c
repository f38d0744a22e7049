/*
 * getopt_long() finds the flags. What is said of mistakes is ours, as it knows
 * no word that may be meant. An abbreviation is one of them: it would mean
 * something else, or nothing, once there is another flag that begins so, and
 * what was written into a unit or a script would break.
 */
#include "cli/flags.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

/* What getopt_long() returns for flag 0; above all characters. */
#define FIRST 256

static const struct cli_flag help = { "--help", NULL };

void cli_args_begin(struct cli_args *args, const struct cli_flag *takes,
		    char **argv, int words)
{
	int n = 0;

	memset(args, 0, sizeof(*args));
	args->takes = takes;
	args->argv = argv - 1;
	args->words = words;
	args->table[n++] = (struct option){ "help", no_argument, NULL, 'h' };
	for (int i = 0; takes[i].name && i < CLI_FLAGS_MAX; i++)
		args->table[n++] =
			(struct option){ takes[i].name + 2,
					 takes[i].value ? required_argument :
							  no_argument,
					 NULL, FIRST + i };
	opterr = 0;
	optind = 0; /* begins anew */
}

/* The flag that @value of struct option stands for; NULL: none. */
static const struct cli_flag *flag_of(const struct cli_args *args, int value)
{
	if (value >= FIRST)
		return &args->takes[value - FIRST];
	return value == 'h' && args->argv[args->at][1] == '-' ? &help : NULL;
}

static bool is_abbreviated(const struct cli_args *args)
{
	const char *word = args->argv[args->at];

	return args->flag && strcspn(word, "=") != strlen(args->flag->name);
}

enum cli_found cli_args_next(struct cli_args *args)
{
	int found;

	args->at = optind ? optind : 1;
	args->value = NULL;
	/* In the order in which they stand, whatever POSIXLY_CORRECT says. */
	found = getopt_long(args->words + 1, args->argv, "-:h", args->table,
			    NULL);
	if (found == 1)
		return CLI_FOUND_WORD;
	if (found == -1) {
		args->is_cut = optind > args->at;
		args->at = optind;
		return CLI_FOUND_END;
	}
	args->flag =
		flag_of(args, found == '?' || found == ':' ? optopt : found);
	if (is_abbreviated(args))
		return CLI_FOUND_UNKNOWN;
	if (found == 'h')
		return args->flag || !args->argv[args->at][2] ?
			       CLI_FOUND_HELP :
			       CLI_FOUND_UNKNOWN; /* -hx */
	if (found == '?')
		return args->flag ? CLI_FOUND_NEEDLESS : CLI_FOUND_UNKNOWN;
	if (found == ':')
		return CLI_FOUND_NO_VALUE;
	args->value = args->flag->value ? optarg : "";
	return args->flag->value && !*optarg ? CLI_FOUND_NO_VALUE :
					       CLI_FOUND_FLAG;
}

static void no_such_flag(const char *where, const struct cli_args *args)
{
	const char *word = args->argv[args->at];
	const char *meant = args->flag ? args->flag->name : NULL;
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	for (size_t i = 0; !args->flag && args->takes[i].name; i++)
		cli_nearer(name, args->takes[i].name, &meant);
	if (!meant)
		cli_nearer(name, help.name, &meant);
	if (meant)
		cli_complain(where, "'%.*s': no such option; %s is meant?",
			     (int)strcspn(word, "="), word, meant);
	else
		cli_complain(where,
			     "'%.*s': no such option; see flatfork help %s",
			     (int)strcspn(word, "="), word, where);
}

static const char *said[CLI_FLAGS_MAX];
static const struct cli_flag *kept;

static bool keep(size_t i, const char *value)
{
	said[i] = value;
	return true;
}

const char *cli_flag(const char *name)
{
	for (size_t i = 0; kept && kept[i].name; i++)
		if (!strcmp(kept[i].name, name))
			return said[i];
	return NULL;
}

/* False after a complaint. */
static bool take_one(const char *where, const struct cli_args *args,
		     enum cli_found found,
		     bool (*take)(size_t i, const char *value))
{
	switch (found) {
	case CLI_FOUND_FLAG:
		return take((size_t)(args->flag - args->takes), args->value);
	case CLI_FOUND_NO_VALUE:
		cli_complain(where, "%s wants a value: %s", args->flag->name,
			     args->flag->value);
		return false;
	case CLI_FOUND_NEEDLESS:
		cli_complain(where, "%s takes no value", args->flag->name);
		return false;
	default:
		no_such_flag(where, args);
		return false;
	}
}

bool cli_flags_take(const char *where, const struct cli_flag *takes,
		    bool (*take)(size_t i, const char *value), char **argv,
		    bool ends_at_word, bool *ret_help)
{
	struct cli_args args;
	enum cli_found found;
	int words = 0, left = 1;

	while (argv[words])
		words++;
	kept = takes;
	cli_args_begin(&args, takes, argv, words);
	*ret_help = false;
	while ((found = cli_args_next(&args)) != CLI_FOUND_END) {
		if (found == CLI_FOUND_WORD && ends_at_word)
			break;
		if (found == CLI_FOUND_WORD) {
			args.argv[left++] = args.argv[args.at];
			continue;
		}
		*ret_help = found == CLI_FOUND_HELP;
		if (*ret_help)
			return true;
		if (!take_one(where, &args, found, take ? take : keep))
			return false;
	}
	while (args.at <= words)
		args.argv[left++] = args.argv[args.at++];
	args.argv[left] = NULL;
	return true;
}
