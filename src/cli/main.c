/* The flatfork command: which subcommand, and the help. */
#include <stdarg.h>
#include <string.h>

#include "cli/cli.h"
#include "tell/options.h"

void cli_complain(const char *where, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "flatfork%s%s: ", *where ? " " : "", where);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static void help_option(const struct ff_option *option)
{
	printf("  ");
	if (option->flag)
		printf("%s %s, ", option->flag, option->values);
	printf("%s=%s", option->env, option->values);
	if (*option->fallback)
		printf(" [%s]", option->fallback);
	printf("\n        %s\n", option->what);
}

static void help(void)
{
	puts("Usage: flatfork run [option...] [--] command [argument...]\n"
	     "       flatfork doctor\n"
	     "       flatfork --help | --version\n"
	     "\n"
	     "run     run a command with " FF_OBJECT " preloaded;\n"
	     "        it hands down its exit status, or 125 if flatfork failed,\n"
	     "        126 if the command can't be executed, 127 if not found\n"
	     "doctor  say what this machine allows, and prove it by one lazy\n"
	     "        fork; exit status 0 if it worked, 1 if not\n"
	     "\n"
	     "Options of run, and the variables they set [default]:");
	for (size_t i = 0; i < FF_OPTION_COUNT; i++)
		help_option(&ff_option_table[i]);
}

static int subcommand(int argc, char **argv)
{
	const char *name = argv[1];

	if (argc < 2) {
		cli_complain("", "which command? run, doctor, or --help");
		return CLI_FAILED;
	}
	if (!strcmp(name, "run"))
		return cli_run(argv + 2);
	if (argc > 2) {
		cli_complain(name, "'%s': no argument is taken", argv[2]);
		return CLI_FAILED;
	}
	if (!strcmp(name, "doctor"))
		return cli_doctor();
	if (!strcmp(name, CLI_PROOF_PARENT))
		return cli_proof_parent();
	if (!strcmp(name, CLI_PROOF_CHILD))
		return 0;
	if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
		help();
		return 0;
	}
	if (!strcmp(name, "--version")) {
		puts("flatfork " FF_VERSION);
		return 0;
	}
	cli_complain("", "'%s': no such command; there are run and doctor",
		     name);
	return CLI_FAILED;
}

int main(int argc, char **argv)
{
	int status = subcommand(argc, argv);

	if (fflush(stdout) || ferror(stdout)) {
		cli_complain("", "standard output can't be written");
		return status ? status : CLI_FAILED;
	}
	return status;
}
