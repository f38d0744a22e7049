/*
 * flatfork report FILE... and trace -- command: what the lines of logs and
 * statistics add up to. Any process may have written to such a file, so a line
 * that is not understood is passed over, and no number of it is trusted to be
 * more than a number.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <search.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/lines.h"
#include "cli/report.h"
#include "cli/table.h"

static const char *const counters[REPORT_COUNTERS] = {
#define X(name, what) #name,
	FF_COUNTERS(X)
#undef X
};

static struct table places, programs;
static struct report_sites sites;
static unsigned long taken; /* lines */

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct total *)a)->key,
		      ((const struct total *)b)->key);
}

/* Most first. */
static int by_count(const void *a, const void *b)
{
	const struct total *const *x = a, *const *y = b;

	if ((*x)->made != (*y)->made)
		return (*x)->made < (*y)->made ? 1 : -1;
	if ((*x)->count != (*y)->count)
		return (*x)->count < (*y)->count ? 1 : -1;
	return by_key(*x, *y);
}

/* One more of @key. */
static struct total *count(struct table *table, const char *key)
{
	struct total asked = { .key = (char *)key }, *made, **more;
	struct total **found = tfind(&asked, &table->tree, by_key);

	taken++;
	if (found) {
		(*found)->count++;
		return *found;
	}
	made = calloc(1, sizeof(*made));
	more = reallocarray(table->entry, table->entries + 1, sizeof(*more));
	if (more)
		table->entry = more;
	if (!made || !more || !(made->key = strdup(key)) ||
	    !tsearch(made, &table->tree, by_key)) {
		cli_complain("report", "%s", strerror(ENOMEM));
		exit(CLI_FAILED);
	}
	table->entry[table->entries++] = made;
	made->count = 1;
	return made;
}

/* What differs from one fork to the next is left away. */
static void generalize(char *outcome)
{
	const size_t n = strlen(outcome);
	char *open = strrchr(outcome, '('), *is;

	if (open > outcome + 1 && outcome[n - 1] == ')' &&
	    strpbrk(open, "0123456789"))
		open[-1] = '\0';
	if (!strncmp(outcome, "spawn: ", 7)) {
		is = strstr(outcome, "\" is ");
		if (is)
			is[1] = '\0';
	}
	if (!strncmp(outcome, "lent, fenced", 12))
		outcome[12] = '\0';
}

/* "flatfork[PID]: NAME at SITE: OUTCOME" */
static void take_log(char *line)
{
	char *name = strstr(line, "]: "), *at, *outcome;
	char key[1200];

	at = name ? strstr(name, " at ") : NULL;
	outcome = at ? strstr(at, ": ") : NULL;
	if (!outcome)
		return;
	*outcome = '\0';
	outcome += 2;
	generalize(outcome);
	snprintf(key, sizeof(key), "%.600s\t%.590s", outcome, name + 3);
	count(&places, key);
}

/* {"pid":N,"comm":"NAME",COUNTERS} */
static void take_statistics(const json_t *line)
{
	struct total *entry;
	bool any = false;
	char name[128];

	for (size_t i = 0; i < REPORT_COUNTERS; i++)
		any |= json_object_get(line, counters[i]) != NULL;
	if (!any ||
	    !cli_line_string(json_object_get(line, "comm"), name, sizeof(name)))
		return;
	entry = count(&programs, name);
	for (size_t i = 0; i < REPORT_COUNTERS; i++)
		entry->sum[i] = cli_line_add(
			entry->sum[i],
			json_integer_value(json_object_get(line, counters[i])));
}

static void take_line(char *line)
{
	json_t *object = cli_line_object(line);
	char *log;

	if (object && report_sites_take(&sites, object))
		taken++;
	else if (object)
		take_statistics(object);
	else if ((log = strstr(line, "flatfork[")))
		take_log(log);
	json_decref(object);
}

static bool take_file(const char *where, const char *path)
{
	FILE *in = fopen(path, "re");
	static char line[CLI_LINE_MAX];
	bool good;

	if (!in) {
		cli_complain(where, "%s: %s", path, strerror(errno));
		return false;
	}
	while (cli_line_read(in, line))
		take_line(line);
	good = !ferror(in);
	if (!good)
		cli_complain(where, "%s: %s", path, strerror(errno));
	fclose(in);
	return good;
}

static void print_programs(FILE *out)
{
	struct cli_table *table = cli_table_new(out);
	long long all[REPORT_COUNTERS] = { 0 };

	for (size_t i = 0; i < programs.entries; i++)
		for (size_t c = 0; c < REPORT_COUNTERS; c++)
			all[c] |= programs.entry[i]->sum[c];
	cli_table_text(table, "program");
	cli_table_number(table, "processes");
	for (size_t c = 0; c < REPORT_COUNTERS; c++)
		if (all[c])
			cli_table_number(table, counters[c]);
	for (size_t i = 0; i < programs.entries; i++) {
		const struct total *e = programs.entry[i];

		cli_table_row(table);
		cli_table_cell(table, "%s", e->key);
		cli_table_cell(table, "%lu", e->count);
		for (size_t c = 0; c < REPORT_COUNTERS; c++)
			if (all[c])
				cli_table_cell(table, "%lld", e->sum[c]);
	}
	cli_table_print(table);
}

static void print_places(FILE *out)
{
	struct cli_table *table = cli_table_new(out);

	cli_table_number(table, "times");
	cli_table_text(table, "what became of it");
	for (size_t i = 0; i < places.entries; i++) {
		const char *key = places.entry[i]->key,
			   *tab = strchr(key, '\t');

		cli_table_row(table);
		cli_table_cell(table, "%lu", places.entry[i]->count);
		cli_table_cell(table, "%.*s", (int)(tab - key), key);
		cli_table_row(table);
		cli_table_skip(table, 1);
		cli_table_cell(table, "  %s", tab + 1);
	}
	cli_table_print(table);
}

static void sort_table(struct table *table)
{
	for (size_t i = 0; i < table->entries; i++)
		table->entry[i]->made = report_made(table->entry[i]);
	if (table->entries)
		qsort(table->entry, table->entries, sizeof(struct total *),
		      by_count);
}

static void sort(void)
{
	sort_table(&programs);
	sort_table(&places);
	report_sites_sort(&sites);
}

static void print(FILE *out)
{
	if (programs.entries)
		print_programs(out);
	if (programs.entries && places.entries)
		fputc('\n', out);
	if (places.entries)
		print_places(out);
	if (sites.entries) {
		fputc('\n', out);
		report_sites_print(out, &sites);
	}
	if (!programs.entries && !places.entries && !sites.entries)
		fputs("no line of a log or of statistics\n", out);
}

int cli_report(char **argv)
{
	const bool several = *argv && argv[1];

	if (!*argv) {
		cli_complain("report", "of which files? "
				       "Those of --log and --stats");
		return CLI_FAILED;
	}
	for (; *argv; argv++) {
		const unsigned long before = taken;

		if (!take_file("report", *argv))
			return CLI_FAILED;
		/* Or the sum would be taken for its as well. */
		if (several && taken == before)
			cli_complain("report",
				     "%s: no line of a log or of statistics",
				     *argv);
	}
	sort();
	if (cli_flag("--html"))
		report_html(stdout, &programs, &places, &sites);
	else
		print(stdout);
	return 0;
}

/* What a terminal sends the command has, too; of what is sent to us alone it is
 * told. */
static const struct {
	int sig;
	bool is_passed_on;
} heeded[] = {
	{ SIGINT, false },
	{ SIGQUIT, false },
	{ SIGHUP, true },
	{ SIGTERM, true },
};

#define HEEDED (sizeof(heeded) / sizeof(heeded[0]))

static volatile pid_t command;

static void pass_on(int sig)
{
	if (command > 0)
		kill(command, sig);
}

/* What is ignored stays so. @ret_old: for the command. */
static void heed(struct sigaction ret_old[HEEDED])
{
	for (size_t i = 0; i < HEEDED; i++) {
		struct sigaction ours = { .sa_flags = SA_RESTART };

		ours.sa_handler = heeded[i].is_passed_on ? pass_on : SIG_IGN;
		sigaction(heeded[i].sig, NULL, &ret_old[i]);
		if (ret_old[i].sa_handler != SIG_IGN)
			sigaction(heeded[i].sig, &ours, NULL);
	}
}

/* The command's process. */
static void become(char **argv, const char *folder,
		   const struct sigaction old[HEEDED])
{
	char log[PATH_MAX + 8], stats[PATH_MAX + 8];
	int error;

	for (size_t i = 0; i < HEEDED; i++)
		sigaction(heeded[i].sig, &old[i], NULL);
	snprintf(log, sizeof(log), "%s/log", folder);
	snprintf(stats, sizeof(stats), "%s/stats", folder);
	if (setenv("FLATFORK_LOG", log, 1) ||
	    setenv("FLATFORK_STATS", stats, 1) || !cli_preload("trace"))
		_exit(CLI_FAILED);
	execvp(*argv, argv);
	error = errno;
	cli_complain("trace", "'%s': %s", *argv, strerror(error));
	_exit(error == ENOENT ? CLI_NOT_FOUND : CLI_CANNOT_RUN);
}

/* As a shell has it. */
static int run(char **argv, const char *folder)
{
	struct sigaction old[HEEDED];
	int status;
	pid_t pid;

	heed(old);
	pid = fork();
	if (!pid)
		become(argv, folder, old);
	command = pid;
	if (pid < 0) {
		cli_complain("trace", "fork: %s", strerror(errno));
		return CLI_FAILED;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return CLI_FAILED;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

/* Of @folder, and gone. */
static void take_away(const char *folder, const char *name)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/%.6s", folder, name);
	if (!access(path, F_OK))
		take_file("trace", path);
	unlink(path);
}

int cli_trace(char **argv)
{
	char folder[PATH_MAX];
	int status;

	if (!*argv) {
		cli_complain("trace", "which command?");
		return CLI_FAILED;
	}
	if (!cli_preload_can("trace"))
		return CLI_FAILED;
	if (!cli_folder_make("trace", folder, sizeof(folder) - 8)) {
		cli_complain("trace", "%s: %s", cli_folder_parent(),
			     strerror(errno));
		return CLI_FAILED;
	}
	status = run(argv, folder);
	take_away(folder, "log");
	take_away(folder, "stats");
	rmdir(folder);
	sort();
	/* The status is the command's, whoever reads this. */
	signal(SIGPIPE, SIG_IGN);
	print(stderr);
	return status;
}
