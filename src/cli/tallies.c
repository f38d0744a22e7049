/*
 * The counts of each place, out of the memory of a process that runs: it does
 * nothing for that, and is not stopped. The table is found by its mark, in what
 * is mapped of the object for writing.
 */
#include "cli/tallies.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#define MAPPING_MAX ((size_t)1 << 20)

/* A process that is looked at. */
struct look {
	long pid;
	int mem;
	FILE *maps;
};

static bool read_at(const struct look *look, uint64_t at, void *to, size_t n)
{
	return at <= INT64_MAX &&
	       pread(look->mem, to, n, (off_t)at) == (ssize_t)n;
}

struct mapping {
	uint64_t start, end;
	char mode[8];
	char path[PATH_MAX];
};

static bool next_mapping(const struct look *look, struct mapping *ret_mapping)
{
	char line[PATH_MAX + 128], *path;

	if (!fgets(line, sizeof(line), look->maps) ||
	    sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &ret_mapping->start,
		   &ret_mapping->end, ret_mapping->mode) != 3)
		return false;
	path = strchr(line, '/');
	if (path)
		path[strcspn(path, "\n")] = '\0';
	snprintf(ret_mapping->path, sizeof(ret_mapping->path), "%s",
		 path ? path : "");
	return true;
}

static bool find_in(const struct look *look, const struct mapping *m,
		    struct ff_tally_table *ret_table)
{
	const size_t n = m->end - m->start < MAPPING_MAX ? m->end - m->start :
							   MAPPING_MAX;
	const char mark[] = FF_TALLY_MARK;
	char *text = malloc(n), *found = NULL;

	if (text && read_at(look, m->start, text, n))
		found = memmem(text, n, mark, sizeof(mark));
	if (found && (size_t)(text + n - found) >= sizeof(*ret_table))
		memcpy(ret_table, found, sizeof(*ret_table));
	else
		found = NULL;
	free(text);
	return found;
}

static bool find_table(const struct look *look,
		       struct ff_tally_table *ret_table)
{
	struct mapping m;

	rewind(look->maps);
	while (next_mapping(look, &m))
		if (m.mode[0] == 'r' && m.mode[1] == 'w' &&
		    strstr(m.path, "/" FF_OBJECT) &&
		    find_in(look, &m, ret_table))
			return ret_table->layout == FF_TALLY_LAYOUT;
	return false;
}

static void name_text(const struct look *look,
		      const struct ff_tally_table *table, uint32_t word,
		      char *text, size_t size, const char *unknown)
{
	snprintf(text, size, "%s", unknown);
	word &= FF_TALLY_WORD;
	if (!word ||
	    !read_at(look, (uintptr_t)table->object + word, text, size - 1))
		return;
	text[size - 1] = '\0';
	for (; *text; text++)
		if (!isprint((unsigned char)*text))
			*text = '?';
}

/* "perl+0x17dd7d": from where its object is mapped on. */
static void name_place(const struct look *look, struct cli_tally *row)
{
	struct mapping m, first = { 0 };
	const uint64_t at = row->n.key;

	rewind(look->maps);
	snprintf(row->place, sizeof(row->place), "+0x%" PRIx64, at);
	while (next_mapping(look, &m)) {
		if (strcmp(m.path, first.path) != 0)
			first = m;
		if (at < m.start || at >= m.end || !*first.path)
			continue;
		snprintf(row->place, sizeof(row->place), "%.64s+0x%" PRIx64,
			 strrchr(first.path, '/') + 1, at - first.start);
		break;
	}
	for (char *c = row->place; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
}

static void name_row(const struct look *look,
		     const struct ff_tally_table *table, struct cli_tally *row)
{
	name_place(look, row);
	name_text(look, table, row->n.name, row->call, sizeof(row->call), "?");
	for (unsigned i = 0; i < FF_TALLY_WHYS; i++)
		name_text(look, table, row->n.why[i].word, row->why[i],
			  sizeof(row->why[0]), "other reasons");
}

static void take_rows(const struct look *look, bool names,
		      const struct ff_tally_table *table,
		      const struct ff_tally_row *rows,
		      struct cli_tallies *tallies)
{
	const uint64_t mine = table->generation & 0xffff;

	for (unsigned i = 0; i < FF_TALLY_ROWS; i++) {
		struct cli_tally *row = &tallies->row[tallies->count];
		const uint64_t key = rows[i].tally.key;

		/* Free, or being cleared. */
		if ((key & FF_TALLY_ADDRESS) < 2 || key >> 48 != mine)
			continue;
		row->n = rows[i].tally;
		row->n.key = key & FF_TALLY_ADDRESS;
		if (names)
			name_row(look, table, row);
		tallies->count++;
	}
}

bool cli_tallies_read(long pid, bool names, struct cli_tallies *ret_tallies)
{
	struct look look = { .pid = pid, .mem = -1 };
	static struct ff_tally_row rows[FF_TALLY_ROWS];
	struct ff_tally_table table;
	char path[64];
	bool done;

	ret_tallies->count = 0;
	snprintf(path, sizeof(path), "/proc/%ld/maps", pid);
	look.maps = fopen(path, "re");
	snprintf(path, sizeof(path), "/proc/%ld/mem", pid);
	look.mem = open(path, O_RDONLY | O_CLOEXEC);
	done = look.maps && look.mem >= 0 && find_table(&look, &table) &&
	       read_at(&look, (uintptr_t)table.rows, rows, sizeof(rows));
	if (done)
		take_rows(&look, names, &table, rows, ret_tallies);
	if (look.maps)
		fclose(look.maps);
	if (look.mem >= 0)
		close(look.mem);
	return done;
}

void cli_tally_times(const struct cli_tally *row, struct cli_times *ret_times)
{
	for (unsigned t = 0; t < FF_TALLY_TIMES; t++)
		for (unsigned i = 0; i < FF_TALLY_BUCKETS; i++)
			if (row->n.time[t][i])
				cli_times_add(ret_times, ff_tally_ns(i),
					      row->n.time[t][i]);
}

static void print_ways(FILE *out, const struct cli_tally *row)
{
	static struct cli_times times;
	char text[2][CLI_TIME_MAX];

	for (unsigned i = 0; i < FF_TALLY_WAY_COUNT; i++)
		if (row->n.way[i])
			fprintf(out, " %s %d,", ff_tally_way_name[i],
				(int)row->n.way[i]);
	memset(&times, 0, sizeof(times));
	cli_tally_times(row, &times);
	if (times.calls)
		fprintf(out, " p50 %s, p99 %s",
			cli_time_text(cli_times_quantile(&times, 0.5), text[0]),
			cli_time_text(cli_times_quantile(&times, 0.99),
				      text[1]));
	else
		fputs(" times not known", out);
	fputc('\n', out);
}

static void print_saved(FILE *out, const char *indent,
			const struct cli_tally *row)
{
	const uint64_t absent = row->n.sum[FF_TALLY_absent];

	if (absent)
		fprintf(out,
			"%s  not copied: %" PRIu64 " MiB, and up to %" PRIu64
			" KiB of page tables; fetched: %" PRIu64
			" KiB by %" PRIu64 " faults\n",
			indent, absent >> 20, FF_TALLY_TABLES(absent) >> 10,
			row->n.sum[FF_TALLY_fetched] >> 10,
			row->n.sum[FF_TALLY_faults]);
}

void cli_tallies_print(FILE *out, const char *indent,
		       const struct cli_tallies *tallies)
{
	for (size_t i = 0; i < tallies->count; i++) {
		const struct cli_tally *row = &tallies->row[i];

		fprintf(out, "%s%s %s:", indent, row->place, row->call);
		print_ways(out, row);
		print_saved(out, indent, row);
		for (unsigned w = 0; w < FF_TALLY_WHYS; w++) {
			const uint32_t way = row->n.why[w].word >> 24;

			if (row->n.why[w].count)
				fprintf(out, "%s  %d %s: %s\n", indent,
					(int)row->n.why[w].count,
					way < FF_TALLY_WAY_COUNT ?
						ff_tally_way_name[way] :
						"any",
					row->why[w]);
		}
	}
}
