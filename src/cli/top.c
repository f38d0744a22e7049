/*
 * flatfork top [PID...]: the processes that have the object, and what they
 * count, again and again. To a terminal it redraws, as much as there is room
 * for; elsewhere it prints one table after the other.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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
	struct timespec at;
};

/* What is shown of the counters, in this order; which of these are children,
 * each counted once, whatever way it was made. */
static const struct column {
	const char *title, *counter;
	bool is_child;
} columns[] = {
	{ "lazy", "forks_lazy", true },	     { "lent", "forks_lent", true },
	{ "spawned", "spawns", true },	     { "vforked", "vforks", true },
	{ "real", "forks_real", true },	     { "rollback", "rollbacks", false },
	{ "denied", "forks_denied", false },
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* Without these, and with one of those. */
#define OTHERS_WIDE (7 + 16 + 9 + 8 + 8 + 8)
#define COLUMN_WIDE 9

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

static long value_of(const struct row *row, const char *name)
{
	for (size_t i = 0; i < row->counters.count; i++)
		if (!strcmp(row->counters.name[i], name))
			return row->counters.value[i];
	return 0;
}

static long children(const struct row *row)
{
	long sum = 0;

	for (size_t c = 0; c < COLUMNS; c++)
		if (columns[c].is_child)
			sum += value_of(row, columns[c].counter);
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
	row->made = children(row);
	row->is_new = true;
	for (size_t i = 0; i < last->rows; i++) {
		/* Another program, or another process, counts from zero. */
		if (last->row[i].pid != pid || last->row[i].made > row->made)
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

static const char *time_of(uint64_t ns, char text[CLI_TIME_MAX])
{
	return ns ? cli_time_text(ns, text) : "-";
}

static double seconds_between(const struct screen *last,
			      const struct screen *now)
{
	return (double)(now->at.tv_sec - last->at.tv_sec) +
	       (double)(now->at.tv_nsec - last->at.tv_nsec) / 1e9;
}

/* Where there is no room for all, those that are of interest. */
static bool is_shown(const struct screen *now, size_t c, size_t wide)
{
	if (wide >= OTHERS_WIDE + COLUMNS * COLUMN_WIDE)
		return true;
	for (size_t i = 0; i < now->rows; i++)
		if (value_of(&now->row[i], columns[c].counter))
			return true;
	return false;
}

static void print_titles(FILE *out, const bool shown[COLUMNS])
{
	fprintf(out, "%7s %-15s %8s %7s", "pid", "program", "resident",
		"each s");
	for (size_t c = 0; c < COLUMNS; c++)
		if (shown[c])
			fprintf(out, " %8s", columns[c].title);
	fprintf(out, " %7s %7s\n", "p50", "p99");
}

static void print_row(FILE *out, const struct row *row,
		      const bool shown[COLUMNS], double seconds)
{
	const long made = row->is_new ? 0 : row->made - row->before;
	char p50[CLI_TIME_MAX], p99[CLI_TIME_MAX];

	fprintf(out, "%7ld %-15.15s %6ld M %7.1f", row->pid, row->name,
		row->resident_mib, seconds > 0 ? (double)made / seconds : 0);
	for (size_t c = 0; c < COLUMNS; c++)
		if (shown[c])
			fprintf(out, " %8ld",
				value_of(row, columns[c].counter));
	fprintf(out, " %7s %7s\n", time_of(row->p50_ns, p50),
		time_of(row->p99_ns, p99));
}

static void print_all(FILE *out, const struct screen *now,
		      const struct screen *last, size_t wide, bool places)
{
	static struct cli_tallies tallies;
	bool shown[COLUMNS];

	for (size_t c = 0; c < COLUMNS; c++)
		shown[c] = is_shown(now, c, wide);
	print_titles(out, shown);
	for (size_t i = 0; i < now->rows && i < ROWS; i++) {
		print_row(out, &now->row[i], shown, seconds_between(last, now));
		if (places && cli_tallies_read(now->row[i].pid, true, &tallies))
			cli_tallies_print(out, "        ", &tallies);
	}
	if (!now->rows)
		fputs("no process that may be looked at has flatfork in it\n",
		      out);
}

/* What there is room for, line by line over what was there: without a moment
 * in which nothing is. All that is printed is ASCII. */
static void redraw(const char *text, const struct winsize *room)
{
	fputs("\033[H", stdout);
	for (unsigned row = 0; *text && row < room->ws_row; row++) {
		const size_t n = strcspn(text, "\n");

		printf("%s%.*s\033[K", row ? "\n" : "",
		       (int)(n < room->ws_col ? n : room->ws_col), text);
		text += n + (text[n] == '\n');
	}
	fputs("\033[J", stdout);
}

/* False: this can't be printed. */
static bool draw(const struct screen *now, const struct screen *last,
		 bool places)
{
	struct winsize room = { 0 };
	const bool is_terminal = isatty(STDOUT_FILENO);
	char *text = NULL;
	size_t bytes;
	FILE *out = is_terminal ? open_memstream(&text, &bytes) : stdout;

	if (is_terminal && (ioctl(STDOUT_FILENO, TIOCGWINSZ, &room) ||
			    !room.ws_col || !room.ws_row)) {
		room.ws_col = 80;
		room.ws_row = 24;
	}
	if (out)
		print_all(out, now, last, is_terminal ? room.ws_col : SIZE_MAX,
			  places);
	if (out && is_terminal && !fclose(out))
		redraw(text, &room);
	free(text);
	return out && !fflush(stdout);
}

/* Of --times or --seconds; false after a complaint. */
static bool take_number(const char *flag, double *number)
{
	const char *text = cli_flag(flag);
	char *end = NULL;

	if (!text)
		return true;
	*number = isdigit((unsigned char)*text) ? strtod(text, &end) : 0;
	if (*number > 0 && *number < 1e6 && !*end)
		return true;
	cli_complain("top", "%s: '%s' is not a number: 2", flag, text);
	return false;
}

/* Have they all ended? */
static bool are_gone(char **pids)
{
	char path[64];

	for (char **pid = pids; *pid; pid++) {
		snprintf(path, sizeof(path), "/proc/%.20s", *pid);
		if (!access(path, F_OK))
			return false;
	}
	return *pids;
}

int cli_top(char **argv)
{
	static struct screen screens[2];
	double times = 0, seconds = 2;
	struct timespec pause;

	if (!take_number("--times", &times) ||
	    !take_number("--seconds", &seconds))
		return CLI_FAILED;
	for (char **pid = argv; *pid; pid++)
		if (!cli_pid("top", *pid))
			return CLI_FAILED;
	pause.tv_sec = (time_t)seconds;
	pause.tv_nsec = (long)((seconds - (double)pause.tv_sec) * 1e9);
	if (isatty(STDOUT_FILENO))
		fputs("\033[2J", stdout);
	for (unsigned i = 0; !times || i < times; i++) {
		struct screen *now = &screens[i % 2];
		const struct screen *last = &screens[(i + 1) % 2];

		if (i)
			nanosleep(&pause, NULL);
		if (are_gone(argv))
			break;
		clock_gettime(CLOCK_MONOTONIC, &now->at);
		look(now, last, argv);
		if (!draw(now, last, *argv))
			return CLI_FAILED;
	}
	if (isatty(STDOUT_FILENO))
		putchar('\n');
	return 0;
}
