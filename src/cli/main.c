/* The flatfork command: which subcommand, and the help. */
#include <string.h>

#include "cli/cli.h"
#include "tell/options.h"

static int help(char **argv);
static int doctor(char **argv);
static int status_of(char **argv);

#define FLAGS(...)                 \
	(const struct cli_flag[])  \
	{                          \
		__VA_ARGS__,       \
		{                  \
			NULL, NULL \
		}                  \
	}
#define FLAG(name)         \
	{                  \
		name, NULL \
	}
#define NO_FLAGS                   \
	(const struct cli_flag[])  \
	{                          \
		{                  \
			NULL, NULL \
		}                  \
	}
/* Of enable, disable, status. */
#define SYSTEM_FLAGS FLAGS(FLAG("--system"), { "--root", "FOLDER" })

/* Lines of help begin in the first column. */
static const struct verb {
	const char *name;
	const struct cli_flag *flags; /* NULL: those of run */
	const char *arguments;
	const char *what; /* in one line */
	const char *more; /* NULL, or lines for who asks */
	int (*go)(char **argv);
} verbs[] = {
	{ "run", NULL, "[option...] [--] command [argument...]",
	  "run a command with " FF_OBJECT " preloaded",
	  "It hands down its exit status, or 125 if flatfork failed, 126 if the\n"
	  "command can't be executed, 127 if it is not found.\n",
	  cli_run },
	{ "doctor", FLAGS(FLAG("--json"), { "--pid", "PID" }),
	  "[--json | --pid PID]",
	  "say what this machine allows, and prove it by one lazy fork",
	  "Exit status 0 if it worked, 1 if not. With --pid it is as status;\n"
	  "with --json it is one object: facts, notes, works.\n",
	  doctor },
	{ "trace", NO_FLAGS, "[--] command [argument...]",
	  "run a command, and say what became of each fork",
	  "On standard error, when it has ended: which programs made how many\n"
	  "children in which ways, and which places in them, and why. The exit\n"
	  "status is the command's, or 128 and the signal that killed it.\n",
	  cli_trace },
	{ "top", FLAGS({ "--seconds", "N" }, { "--times", "N" }),
	  "[--seconds N] [--times N] [PID...]",
	  "show what the processes that have flatfork count, again and again",
	  "All that may be looked at, or those that are named, with the places\n"
	  "that make children. N: every two seconds, until it is stopped, unless\n"
	  "these say otherwise.\n",
	  cli_top },
	{ "report", FLAGS(FLAG("--html")), "[--html] FILE...",
	  "add up files of --log and --stats, as trace does",
	  "With --html as a page, which needs nothing from elsewhere.\n",
	  cli_report },
	{ "bench", FLAGS(FLAG("--json"), { "--size", "SIZE,..." }),
	  "[--json] [--size SIZE,...]",
	  "measure fork and exec on this machine, plain and with flatfork",
	  "In processes of these sizes (16M,64M,256M): the median of the time from\n"
	  "fork to the end of a program that only ends, and how many times less it\n"
	  "is with flatfork.\n",
	  cli_bench },
	{ "enable", SYSTEM_FLAGS, "--system [--root FOLDER]",
	  "preload flatfork into every program of this machine",
	  "It adds the object to /etc/ld.so.preload (--root: of an image), which\n"
	  "set-user-id programs obey as well; in those every call is libc's. The\n"
	  "object must be in folders that only root can change. Programs are\n"
	  "tried before and afterwards; if one fails the list is as it was.\n",
	  cli_enable },
	{ "disable", SYSTEM_FLAGS, "--system [--root FOLDER]", "take that back",
	  "Should no program start any more: in a shell that runs,\n"
	  "       : >/etc/ld.so.preload\n",
	  cli_disable },
	{ "status", SYSTEM_FLAGS, "PID | --system [--root FOLDER]",
	  "say whether flatfork is in a process, and in force",
	  "Exit status 0 if it is in force there, 1 if not, with the reason.\n"
	  "--system: whether it is preloaded into every program.\n",
	  status_of },
	{ "check", FLAGS(FLAG("--empty"), FLAG("--keep")),
	  "[--empty] [--keep] [--] command [argument...]",
	  "run a command with and without flatfork, and compare",
	  "It runs plain, plain again, with lazy forks wherever they are possible,\n"
	  "with the defaults, and with flatfork off, each time in a copy of the\n"
	  "current directory (--empty: in an empty one), with no input. Output,\n"
	  "status, files there and processes left over must be the same. --keep\n"
	  "keeps them. Exit status 0 if all is the same, 1 if not, 2 if something\n"
	  "can't be compared, as it differs without flatfork, too.\n",
	  cli_check },
	{ "help", NO_FLAGS, "[command]", "say more about one of them", NULL,
	  help },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < VERBS; i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
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

static void help_options(void)
{
	puts("Options of run, and the variables they set [default]:");
	for (size_t i = 0; i < FF_OPTION_COUNT; i++)
		help_option(&ff_option_table[i]);
}

static void help_all(void)
{
	puts("Usage: flatfork command [argument...]\n"
	     "       flatfork --help | --version\n");
	for (size_t i = 0; i < VERBS; i++)
		printf("%-8s %s\n", verbs[i].name, verbs[i].what);
	putchar('\n');
	help_options();
}

static void help_verb(const struct verb *verb)
{
	printf("Usage: flatfork %s %s\n\n%s\n", verb->name, verb->arguments,
	       verb->what);
	if (verb->more)
		fputs(verb->more, stdout);
	if (verb->go == cli_run) {
		putchar('\n');
		help_options();
	}
}

static int no_such_command(const char *name)
{
	const char *meant = NULL;

	for (size_t i = 0; i < VERBS; i++)
		cli_nearer(name, verbs[i].name, &meant);
	cli_nearer(name, "--version", &meant);
	cli_nearer(name, "--help", &meant);
	if (meant)
		cli_complain("", "'%s': no such command; %s is meant?", name,
			     meant);
	else
		cli_complain("", "'%s': no such command; see flatfork --help",
			     name);
	return CLI_FAILED;
}

static int help(char **argv)
{
	const struct verb *verb;

	if (!*argv) {
		help_all();
		return 0;
	}
	verb = find_verb(*argv);
	if (!verb)
		return no_such_command(*argv);
	if (argv[1])
		return cli_needless("help", argv[1]);
	help_verb(verb);
	return 0;
}

static int doctor(char **argv)
{
	const char *pid = cli_flag("--pid");

	if (*argv)
		return cli_needless("doctor", *argv);
	if (!pid)
		return cli_doctor(cli_flag("--json"));
	if (cli_flag("--json"))
		return cli_needless("doctor", "--json");
	return cli_status("doctor", pid);
}

static int status_of(char **argv)
{
	if (cli_flag("--system") || cli_flag("--root"))
		return cli_system_status(argv);
	if (!*argv) {
		cli_complain("status",
			     "of which process? status PID; status --system");
		return CLI_FAILED;
	}
	if (argv[1])
		return cli_needless("status", argv[1]);
	return cli_status("status", *argv);
}

static const char *verb_name(size_t i)
{
	return i < VERBS ? verbs[i].name : NULL;
}

static const struct cli_flag *verb_flags(const char *name)
{
	const struct verb *verb = find_verb(name);

	if (!verb)
		return NULL;
	return verb->flags ? verb->flags : cli_run_flags();
}

/* Not for people. */
static bool is_hidden(char **argv, int *ret_status)
{
	const char *name = argv[1];

	if (!strcmp(name, CLI_COMPLETE))
		*ret_status = cli_complete(argv + 2, verb_name, verb_flags);
	else if (!strcmp(name, CLI_PROOF_PARENT))
		*ret_status = cli_proof_parent();
	else if (!strcmp(name, CLI_BENCH_ONE))
		*ret_status = cli_bench_one(argv + 2);
	else if (!strcmp(name, CLI_PROOF_CHILD))
		*ret_status = 0;
	else
		return false;
	return true;
}

static bool is_help(const char *argument)
{
	return !strcmp(argument, "--help") || !strcmp(argument, "-h");
}

/* What it runs has flags of its own. */
static bool runs_command(const struct verb *verb)
{
	return verb->go == cli_run || verb->go == cli_trace ||
	       verb->go == cli_check;
}

static int go(const struct verb *verb, char **argv)
{
	bool asks;

	if (!cli_flags_take(verb->name, verb_flags(verb->name),
			    verb->go == cli_run ? cli_run_take : NULL, argv,
			    runs_command(verb), &asks))
		return CLI_FAILED;
	if (asks) {
		help_verb(verb);
		return 0;
	}
	return verb->go(argv);
}

static int subcommand(char **argv)
{
	const char *name = argv[1];
	const struct verb *verb;
	int status;

	if (!name) {
		cli_complain("", "which command? See flatfork --help");
		return CLI_FAILED;
	}
	if (is_hidden(argv, &status))
		return status;
	if (is_help(name)) {
		help_all();
		return argv[2] ? cli_needless(name, argv[2]) : 0;
	}
	if (!strcmp(name, "--version")) {
		puts("flatfork " FF_VERSION);
		return argv[2] ? cli_needless(name, argv[2]) : 0;
	}
	verb = find_verb(name);
	if (!verb)
		return no_such_command(name);
	return go(verb, argv + 2);
}

int main(int argc, char **argv)
{
	int status = argc ? subcommand(argv) : CLI_FAILED;

	if (fflush(stdout) || ferror(stdout)) {
		cli_complain("", "standard output can't be written");
		return status ? status : CLI_FAILED;
	}
	return status;
}
