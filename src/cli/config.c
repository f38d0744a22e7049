/* The configuration files, for people: which there are, and what is wrong. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "tell/config.h"

static void print_indented(void *out, const struct ff_line *line)
{
	fprintf(out, "\n  %.*s", (int)line->used, line->text);
}

/* Prints its name behind @comma, and its mistakes; false: there is none. */
static bool print_file(FILE *out, const char *comma, const char *path,
		       bool optional)
{
	struct ff_config config = { .complain = print_indented, .arg = out };
	char name[PATH_MAX];
	struct ff_line line = ff_line_start(name, sizeof(name));
	size_t n;
	char *text;

	if (optional && access(path, F_OK))
		return false;
	ff_line_foreign(&line, path, sizeof(name));
	fprintf(out, "%s%.*s", comma, (int)line.used, name);
	text = ff_config_map(&config, path, optional, &n);
	if (text) {
		ff_config_parse(&config, path, text, n);
		ff_config_unmap(text);
	}
	return true;
}

void cli_config_print(FILE *out)
{
	const char *named = getenv("FLATFORK_CONFIG"), *home = getenv("HOME");
	char path[FF_CONFIG_HOME_MAX + sizeof(FF_CONFIG_IN_HOME)];
	bool any;

	fprintf(out, "%-22s ", "configuration");
	if (named && *named) {
		any = print_file(out, "", named, false);
	} else {
		any = print_file(out, "", FF_CONFIG_SYSTEM, true);
		if (home && *home == '/' && strlen(home) < FF_CONFIG_HOME_MAX) {
			snprintf(path, sizeof(path), "%s%s", home,
				 FF_CONFIG_IN_HOME);
			any |= print_file(out, any ? ", " : "", path, true);
		}
	}
	fprintf(out, "%s\n", any ? "" : "none");
}

static void complain(void *arg, const struct ff_line *line)
{
	bool *good = arg;

	cli_complain("run", "--config: %.*s", (int)line->used, line->text);
	*good = false;
}

bool cli_config_is_good(const char *path)
{
	bool good = true;
	struct ff_config config = { .complain = complain, .arg = &good };
	size_t n;
	char *text = ff_config_map(&config, path, false, &n);

	if (!text)
		return false;
	ff_config_parse(&config, path, text, n);
	ff_config_unmap(text);
	return good;
}
