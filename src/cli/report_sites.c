/*
 * What the lines of statistics that tell of places (site/tally_line.c) add up
 * to. They are anybody's: a member that is missing, or of another type, is
 * nothing.
 */
#include "cli/report_sites.h"

#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/lines.h"
#include "cli/table.h"

static const char *const times[FF_TALLY_TIMES] = { "flat_ns", "copies_ns" };

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct report_site *)a)->key,
		      ((const struct report_site *)b)->key);
}

static int by_calls(const void *a, const void *b)
{
	const struct report_site *const *x = a, *const *y = b;

	if ((*x)->calls != (*y)->calls)
		return (*x)->calls < (*y)->calls ? 1 : -1;
	return by_key(*x, *y);
}

static void out_of_memory(void)
{
	cli_complain("report", "%s", strerror(ENOMEM));
	exit(CLI_FAILED);
}

static struct report_site *site_of(struct report_sites *sites, const char *key)
{
	struct report_site asked = { .key = (char *)key }, *made, **more;
	struct report_site **found = tfind(&asked, &sites->tree, by_key);

	if (found)
		return *found;
	made = calloc(1, sizeof(*made));
	more = reallocarray(sites->entry, sites->entries + 1, sizeof(*more));
	if (more)
		sites->entry = more;
	if (!made || !more || !(made->key = strdup(key)) ||
	    !tsearch(made, &sites->tree, by_key))
		out_of_memory();
	return sites->entry[sites->entries++] = made;
}

/* Of what is counted, below nothing where a line takes back what one before it
 * has told ahead (daemon); report_sites_sort() sees to the sum. */
static uint64_t count_of(const json_t *number)
{
	return (uint64_t)json_integer_value(number);
}

/* Of what is measured: never below nothing. */
static uint64_t number_of(const json_t *number)
{
	const json_int_t n = json_integer_value(number);

	return n > 0 ? (uint64_t)n : 0;
}

/* [[NANOSECONDS,COUNT],...] */
static void take_times(struct cli_times *to, const json_t *list)
{
	const json_t *pair;
	size_t i;

	json_array_foreach(list, i, pair)
		cli_times_add(to, number_of(json_array_get(pair, 0)),
			      number_of(json_array_get(pair, 1)));
}

static void add_why(struct report_site *site, const char *text, uint64_t count)
{
	unsigned i;

	for (i = 0; i < REPORT_WHYS - 1 && *site->why[i].text; i++)
		if (!strcmp(site->why[i].text, text))
			break;
	if (!*site->why[i].text)
		snprintf(site->why[i].text, sizeof(site->why[0].text), "%s",
			 i == REPORT_WHYS - 1 ? "any: other reasons" : text);
	site->why[i].count += count;
}

/* [["real","small process",3],...] */
static void take_whys(struct report_site *site, const json_t *list)
{
	char way[16], why[96], text[128];
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (!cli_line_string(json_array_get(one, 0), way,
				     sizeof(way)) ||
		    !cli_line_string(json_array_get(one, 1), why, sizeof(why)))
			continue;
		snprintf(text, sizeof(text), "%s: %s", way, why);
		add_why(site, text, count_of(json_array_get(one, 2)));
	}
}

bool report_sites_take(struct report_sites *sites, const json_t *line)
{
	char comm[128], place[256], function[256] = "", call[64], key[800];
	struct report_site *site;

	if (!cli_line_string(json_object_get(line, "comm"), comm,
			     sizeof(comm)) ||
	    !cli_line_string(json_object_get(line, "site"), place,
			     sizeof(place)) ||
	    !cli_line_string(json_object_get(line, "call"), call, sizeof(call)))
		return false;
	cli_line_string(json_object_get(line, "function"), function,
			sizeof(function));
	snprintf(key, sizeof(key), "%s: %s at %s%s%s", comm, call, place,
		 *function ? " in " : "", function);
	site = site_of(sites, key);
	for (unsigned i = 0; i < FF_TALLY_WAY_COUNT; i++)
		site->way[i] +=
			count_of(json_object_get(line, ff_tally_way_name[i]));
	for (unsigned i = 0; i < FF_TALLY_SUM_COUNT; i++)
		site->sum[i] +=
			count_of(json_object_get(line, ff_tally_sum_name[i]));
	for (unsigned i = 0; i < FF_TALLY_TIMES; i++)
		take_times(&site->times[i], json_object_get(line, times[i]));
	take_whys(site, json_object_get(line, "why"));
	return true;
}

static void at_least_nothing(uint64_t *count)
{
	if ((int64_t)*count < 0)
		*count = 0;
}

void report_sites_sort(struct report_sites *sites)
{
	for (size_t i = 0; i < sites->entries; i++) {
		struct report_site *site = sites->entry[i];

		for (unsigned w = 0; w < FF_TALLY_WAY_COUNT; w++)
			at_least_nothing(&site->way[w]);
		for (unsigned s = 0; s < FF_TALLY_SUM_COUNT; s++)
			at_least_nothing(&site->sum[s]);
		for (unsigned w = 0; w < REPORT_WHYS; w++)
			at_least_nothing(&site->why[w].count);
		site->calls =
			site->way[FF_TALLY_lazy] + site->way[FF_TALLY_lent] +
			site->way[FF_TALLY_vforked] +
			site->way[FF_TALLY_spawned] + site->way[FF_TALLY_real] +
			site->way[FF_TALLY_libc] + site->way[FF_TALLY_denied] +
			site->way[FF_TALLY_failed];
	}
	if (sites->entries)
		qsort(sites->entry, sites->entries, sizeof(sites->entry[0]),
		      by_calls);
}

void report_site_ways(const struct report_site *site, char *text, size_t size)
{
	size_t n = 0;

	*text = '\0';
	for (unsigned i = 0; i < FF_TALLY_WAY_COUNT; i++)
		if (site->way[i] && n < size)
			n += (size_t)snprintf(text + n, size - n,
					      "%s%s %" PRId64, n ? ", " : "",
					      ff_tally_way_name[i],
					      (int64_t)site->way[i]);
}

const char *report_site_time(const struct report_site *site, unsigned time,
			     double q, char text[CLI_TIME_MAX])
{
	const struct cli_times *t = &site->times[time];

	return t->calls ? cli_time_text(cli_times_quantile(t, q), text) : "-";
}

/* A row of more about a place. */
static void add_more(struct cli_table *table)
{
	cli_table_row(table);
	cli_table_skip(table, 1 + 2 * FF_TALLY_TIMES);
}

static void add_site(struct cli_table *table, const struct report_site *site)
{
	char ways_text[400], text[CLI_TIME_MAX];
	const uint64_t absent = site->sum[FF_TALLY_absent];

	cli_table_row(table);
	cli_table_cell(table, "%" PRIu64, site->calls);
	for (unsigned t = 0; t < FF_TALLY_TIMES; t++) {
		cli_table_cell(table, "%s",
			       report_site_time(site, t, 0.5, text));
		cli_table_cell(table, "%s",
			       report_site_time(site, t, 0.99, text));
	}
	report_site_ways(site, ways_text, sizeof(ways_text));
	cli_table_cell(table, "%s: %s", site->key, ways_text);
	if (absent) {
		add_more(table);
		cli_table_cell(table,
			       "not copied: %" PRIu64 " MiB, and up to %" PRIu64
			       " KiB of page tables; fetched: %" PRIu64 " KiB",
			       absent >> 20, FF_TALLY_TABLES(absent) >> 10,
			       site->sum[FF_TALLY_fetched] >> 10);
	}
	for (unsigned i = 0; i < REPORT_WHYS && *site->why[i].text; i++) {
		if (!site->why[i].count)
			continue;
		add_more(table);
		cli_table_cell(table, "%" PRIu64 " %s", site->why[i].count,
			       site->why[i].text);
	}
}

void report_sites_print(FILE *out, const struct report_sites *sites)
{
	struct cli_table *table = cli_table_new(out);

	cli_table_number(table, "calls");
	cli_table_number(table, "flat p50");
	cli_table_number(table, "p99");
	cli_table_number(table, "copy p50");
	cli_table_number(table, "p99");
	cli_table_text(table, "place");
	for (size_t i = 0; i < sites->entries; i++)
		add_site(table, sites->entry[i]);
	cli_table_print(table);
}
