/*
 * flatfork top [PID...]: the processes that have the object, and what they
 * count, again and again. To a terminal it redraws; elsewhere it prints one
 * table after the other.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/tallies.h"

#define SHOWN_MAX 4096
#define ROWS 40

struct row {
	long pid;
	char name[32];
	long resident_mib;
	struct cli_counters counters;
	long made, before; /* children, now and at the last look */
	bool is_new;
	uint64_t p50_ns, p99_ns; /* of all its calls; 0: not known */
};

struct screen {
	struct row row[SHOWN_MAX];
	size_t rows;
};

static bool has_object(long pid)
{
	char path[64], line[PATH_MAX + 128];
	bool found = false;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%ld/maps", pid);
	in = fopen(path, "re");
	while (in && !found && fgets(line, sizeof(line), in))
		found = strstr(line, "/" FF_OBJECT);
	if (in)
		fclose(in);
	return found;
}

static void read_name_and_size(struct row *row)
{
	char path[64], line[256];
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%ld/status", row->pid);
	in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "Name:\t", 6))
			snprintf(row->name, sizeof(row->name), "%.31s",
				 line + 6);
		else if (!strncmp(line, "VmRSS:", 6))
			row->resident_mib = strtol(line + 6, NULL, 10) >> 10;
	}
	if (in)
		fclose(in);
	for (char *at = row->name; *at; at++)
		if (!isprint((unsigned char)*at))
			*at = '?';
}

/* Each child counts once, whatever way it was made. */
static long children(const struct cli_counters *counters)
{
	static const char *const kinds[] = { "forks_lazy", "forks_real",
					     "forks_lent", "spawns", "vforks" };
	long sum = 0;

	for (size_t i = 0; i < counters->count; i++)
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			if (!strcmp(counters->name[i], kinds[k]))
				sum += counters->value[i];
	return sum;
}

static void read_times(struct row *row)
{
	static struct cli_tallies tallies;
	static struct cli_times times;

	if (!cli_tallies_read(row->pid, false, &tallies))
		return;
	memset(&times, 0, sizeof(times));
	for (size_t i = 0; i < tallies.count; i++)
		cli_tally_times(&tallies.row[i], &times);
	row->p50_ns = cli_times_quantile(&times, 0.5);
	row->p99_ns = cli_times_quantile(&times, 0.99);
}

static void take(struct screen *now, const struct screen *last, long pid)
{
	struct row *row = &now->row[now->rows];

	if (now->rows == SHOWN_MAX || !has_object(pid))
		return;
	memset(row, 0, sizeof(*row));
	row->pid = pid;
	if (!cli_counters_read(pid, &row->counters))
		return;
	read_name_and_size(row);
	read_times(row);
	row->made = children(&row->counters);
	row->is_new = true;
	for (size_t i = 0; i < last->rows; i++) {
		if (last->row[i].pid != pid)
			continue;
		row->before = last->row[i].made;
		row->is_new = false;
	}
	now->rows++;
}

static int by_children(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	long dx = x->made - x->before, dy = y->made - y->before;

	if (dx != dy && !x->is_new && !y->is_new)
		return dx < dy ? 1 : -1;
	if (x->made != y->made)
		return x->made < y->made ? 1 : -1;
	return x->pid < y->pid ? -1 : 1;
}

static void look(struct screen *now, const struct screen *last, char **pids)
{
	DIR *proc = *pids ? NULL : opendir("/proc");
	struct dirent *entry;

	now->rows = 0;
	for (; *pids; pids++)
		take(now, last, strtol(*pids, NULL, 10));
	while (proc && (entry = readdir(proc)))
		if (isdigit((unsigned char)*entry->d_name))
			take(now, last, strtol(entry->d_name, NULL, 10));
	if (proc)
		closedir(proc);
	qsort(now->row, now->rows, sizeof(now->row[0]), by_children);
}

static long value_of(const struct row *row, const char *name)
{
	for (size_t i = 0; i < row->counters.count; i++)
		if (!strcmp(row->counters.name[i], name))
			return row->counters.value[i];
	return 0;
}

static const char *time_of(uint64_t ns, char text[CLI_TIME_MAX])
{
	return ns ? cli_time_text(ns, text) : "-";
}

static void draw(const struct screen *now, double seconds, bool redraw,
		 bool places)
{
	static struct cli_tallies tallies;

	if (redraw)
		fputs("\033[H\033[2J", stdout);
	printf("%7s %-15s %8s %7s %8s %8s %8s %8s %8s %8s %8s %7s %7s\n", "pid",
	       "program", "resident", "each s", "lazy", "lent", "spawned",
	       "vforked", "real", "rollback", "denied", "p50", "p99");
	for (size_t i = 0; i < now->rows && i < ROWS; i++) {
		const struct row *row = &now->row[i];
		char p50[CLI_TIME_MAX], p99[CLI_TIME_MAX];

		printf("%7ld %-15.15s %6ld M %7.1f %8ld %8ld %8ld %8ld %8ld "
		       "%8ld %8ld %7s %7s\n",
		       row->pid, row->name, row->resident_mib,
		       row->is_new ?
			       0 :
			       (double)(row->made - row->before) / seconds,
		       value_of(row, "forks_lazy"), value_of(row, "forks_lent"),
		       value_of(row, "spawns"), value_of(row, "vforks"),
		       value_of(row, "forks_real"), value_of(row, "rollbacks"),
		       value_of(row, "forks_denied"), time_of(row->p50_ns, p50),
		       time_of(row->p99_ns, p99));
		if (places && cli_tallies_read(row->pid, true, &tallies))
			cli_tallies_print(stdout, "        ", &tallies);
	}
	if (!now->rows)
		puts("no process that may be looked at has flatfork in it");
	fflush(stdout);
}

static bool parse_number(const char *text, double *ret_number)
{
	char *end;

	if (!text || !isdigit((unsigned char)*text))
		return false;
	*ret_number = strtod(text, &end);
	return !*end && *ret_number > 0 && *ret_number < 1e6;
}

/* Returns where the pids begin, NULL after a complaint. */
static char **options(char **argv, double *ret_times, double *ret_seconds)
{
	for (; *argv && **argv == '-'; argv++) {
		double *number = !strcmp(*argv, "--times")   ? ret_times :
				 !strcmp(*argv, "--seconds") ? ret_seconds :
							       NULL;

		if (!number) {
			cli_complain("top",
				     "'%s': no such option; --times, --seconds",
				     *argv);
			return NULL;
		}
		if (!parse_number(argv[1], number)) {
			cli_complain("top", "%s wants a number: 2", *argv);
			return NULL;
		}
		argv++;
	}
	for (char **pid = argv; *pid; pid++) {
		if ((*pid)[strspn(*pid, "0123456789")] || !**pid) {
			cli_complain("top", "'%s' is not a process: 1234",
				     *pid);
			return NULL;
		}
	}
	return argv;
}

int cli_top(char **argv)
{
	static struct screen screens[2];
	const bool redraw = isatty(STDOUT_FILENO);
	double times = 0, seconds = 2;
	struct timespec pause;

	argv = options(argv, &times, &seconds);
	if (!argv)
		return CLI_FAILED;
	pause.tv_sec = (time_t)seconds;
	pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
	for (unsigned i = 0; !times || i < times; i++) {
		if (i)
			nanosleep(&pause, NULL);
		look(&screens[i % 2], &screens[(i + 1) % 2], argv);
		draw(&screens[i % 2], seconds, redraw, *argv);
		if (ferror(stdout))
			return CLI_FAILED;
	}
	return 0;
}
