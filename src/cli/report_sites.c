/*
 * What the lines of statistics that tell of places (site/tally_line.c) add up
 * to. They are anybody's words: text is passed on as it stands, without control
 * characters, and a number is a number.
 */
#include "cli/report_sites.h"

#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

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

/* What stands behind "NAME": in @line, or NULL: quotes in a string are escaped,
 * so none is found inside of one. */
static const char *behind(const char *line, const char *name)
{
	char key[40];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(line, key);
	return at ? at + strlen(key) : NULL;
}

/* The string there, as it is written, into @text; behind it, or NULL. */
static const char *take_string(const char *at, char *text, size_t size)
{
	size_t n = 0;

	if (!at || *at++ != '"')
		return NULL;
	while (at[n] && at[n] != '"')
		n += at[n] == '\\' && at[n + 1] ? 2 : 1;
	if (!at[n])
		return NULL;
	snprintf(text, size, "%.*s", (int)n, at);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return at + n + 1;
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

/* [[NANOSECONDS,COUNT],...] */
static void take_times(struct cli_times *to, const char *at)
{
	while (at && (*at == '[' || *at == ',') && *++at == '[') {
		char *end;
		uint64_t ns = strtoull(at + 1, &end, 10), calls;

		if (*end != ',')
			return;
		calls = strtoull(end + 1, &end, 10);
		if (*end != ']')
			return;
		cli_times_add(to, ns, calls);
		at = end + 1;
	}
}

static void add_why(struct report_site *site, const char *text,
		    unsigned long long count)
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
static void take_whys(struct report_site *site, const char *at)
{
	char way[16], why[96], text[128];

	while (at && (*at == '[' || *at == ',') && *++at == '[') {
		char *end;
		unsigned long long count;

		at = take_string(at + 1, way, sizeof(way));
		if (!at || *at != ',')
			return;
		at = take_string(at + 1, why, sizeof(why));
		if (!at || *at != ',')
			return;
		count = strtoull(at + 1, &end, 10);
		snprintf(text, sizeof(text), "%s: %s", way, why);
		add_why(site, text, count);
		at = *end == ']' ? end + 1 : NULL;
	}
}

bool report_sites_take(struct report_sites *sites, const char *line)
{
	char comm[128], place[256], function[256] = "", call[64], key[800];
	struct report_site *site;

	if (!take_string(behind(line, "comm"), comm, sizeof(comm)) ||
	    !take_string(behind(line, "site"), place, sizeof(place)) ||
	    !take_string(behind(line, "call"), call, sizeof(call)))
		return false;
	take_string(behind(line, "function"), function, sizeof(function));
	snprintf(key, sizeof(key), "%s: %s at %s%s%s", comm, call, place,
		 *function ? " in " : "", function);
	site = site_of(sites, key);
	for (unsigned i = 0; i < FF_TALLY_WAY_COUNT; i++) {
		const char *at = behind(line, ff_tally_way_name[i]);

		site->way[i] += at ? strtoull(at, NULL, 10) : 0;
	}
	for (unsigned i = 0; i < FF_TALLY_SUM_COUNT; i++) {
		const char *at = behind(line, ff_tally_sum_name[i]);

		site->sum[i] += at ? strtoull(at, NULL, 10) : 0;
	}
	for (unsigned i = 0; i < FF_TALLY_TIMES; i++)
		take_times(&site->times[i], behind(line, times[i]));
	take_whys(site, behind(line, "why"));
	return true;
}

void report_sites_sort(struct report_sites *sites)
{
	for (size_t i = 0; i < sites->entries; i++) {
		struct report_site *site = sites->entry[i];

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

static void print_site(FILE *out, const struct report_site *site)
{
	char ways_text[400], text[4][CLI_TIME_MAX];
	const uint64_t absent = site->sum[FF_TALLY_absent];

	fprintf(out, "%7" PRIu64, site->calls);
	for (unsigned t = 0; t < FF_TALLY_TIMES; t++)
		fprintf(out, " %8s %8s",
			report_site_time(site, t, 0.5, text[2 * t]),
			report_site_time(site, t, 0.99, text[2 * t + 1]));
	report_site_ways(site, ways_text, sizeof(ways_text));
	fprintf(out, "  %s: %s\n", site->key, ways_text);
	if (absent)
		fprintf(out,
			"%45snot copied: %" PRIu64 " MiB, and up to %" PRIu64
			" KiB of page tables; fetched: %" PRIu64 " KiB\n",
			"", absent >> 20, FF_TALLY_TABLES(absent) >> 10,
			site->sum[FF_TALLY_fetched] >> 10);
	for (unsigned i = 0; i < REPORT_WHYS && *site->why[i].text; i++)
		fprintf(out, "%45s%" PRIu64 " %s\n", "", site->why[i].count,
			site->why[i].text);
}

void report_sites_print(FILE *out, const struct report_sites *sites)
{
	fprintf(out, "%7s %8s %8s %8s %8s  %s\n", "calls", "flat p50", "p99",
		"copy p50", "p99", "place");
	for (size_t i = 0; i < sites->entries; i++)
		print_site(out, sites->entry[i]);
}
