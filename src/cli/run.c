/*
 * flatfork run: flags become variables, the interposer goes to the head of
 * LD_PRELOAD, the command is executed in this very process.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "tell/options.h"

/* By flag. */
static const struct ff_option *options[CLI_FLAGS_MAX];

const struct cli_flag *cli_run_flags(void)
{
	static struct cli_flag flags[CLI_FLAGS_MAX + 1];
	size_t n = 0;

	_Static_assert(FF_OPTION_COUNT <= CLI_FLAGS_MAX, "no room");
	for (size_t i = 0; i < FF_OPTION_COUNT; i++) {
		const struct ff_option *option = &ff_option_table[i];

		if (!option->flag)
			continue;
		options[n] = option;
		flags[n].name = option->flag;
		flags[n++].value = option->values;
	}
	return flags;
}

/* Processes that change their directory have to write to the same file. */
static const char *absolute(const char *path, char text[2 * PATH_MAX])
{
	size_t n;

	if (*path == '/' || !strcmp(path, "stderr"))
		return path;
	if (!getcwd(text, PATH_MAX))
		return NULL;
	n = strlen(text);
	text[n++] = '/';
	return memcpy(text + n, path, strlen(path) + 1) ? text : NULL;
}

static void complain_value(const struct ff_option *option, const char *value)
{
	char text[512];
	struct ff_line line = ff_line_start(text, sizeof(text));

	ff_option_wrong(&line, option, value);
	cli_complain("run", "%s: %.*s", option->flag, (int)line.used, text);
}

/* As the object will write to it: a file of its own, not a link. */
static bool can_be_written(const struct ff_option *option, const char *path)
{
	int fd;

	if (!strcmp(path, "stderr"))
		return true;
	fd = open(path,
		  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK |
			  O_NOCTTY | O_NOFOLLOW,
		  0666);
	/* A FIFO that nobody reads yet. */
	if (fd < 0 && errno == ENXIO)
		return true;
	if (fd < 0) {
		cli_complain("run", "%s: '%s' can't be written: %s",
			     option->flag, path,
			     errno == ELOOP ? "it is a link" : strerror(errno));
		return false;
	}
	close(fd);
	return true;
}

static bool set_option(const struct ff_option *option, const char *value)
{
	char text[2 * PATH_MAX];
	struct ff_options parsed;

	if (!ff_option_parse(option, value, &parsed)) {
		complain_value(option, value);
		return false;
	}
	if (option->kind == FF_OPTION_PATH ||
	    option->kind == FF_OPTION_CONFIG) {
		value = absolute(value, text);
		if (!value) {
			cli_complain("run", "%s: current directory: %s",
				     option->flag, strerror(errno));
			return false;
		}
		if (!ff_option_parse(option, value, &parsed)) {
			cli_complain("run", "%s: '%s': %s", option->flag, value,
				     strerror(ENAMETOOLONG));
			return false;
		}
	}
	if (option->kind == FF_OPTION_CONFIG && !cli_config_is_good(value))
		return false;
	if (option->kind == FF_OPTION_PATH && !can_be_written(option, value))
		return false;
	if (setenv(option->env, value, 1)) {
		cli_complain("run", "%s: %s", option->env, strerror(errno));
		return false;
	}
	return true;
}

bool cli_run_take(size_t i, const char *value)
{
	return set_option(options[i], value);
}

int cli_run(char **argv)
{
	int error;

	if (!*argv) {
		cli_complain("run", "which command?");
		return CLI_FAILED;
	}
	if (!cli_preload("run"))
		return CLI_FAILED;
	execvp(*argv, argv);
	error = errno;
	cli_complain("run", "'%s': %s", *argv, strerror(error));
	return error == ENOENT ? CLI_NOT_FOUND : CLI_CANNOT_RUN;
}
