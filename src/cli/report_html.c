/* flatfork report --html: the same as a page, with a bar for each program. */
#include <string.h>

#include "cli/lines.h"
#include "cli/report.h"
#include "cli/report_chart.h"

#define BAR_WIDTH 600
#define BAR_HEIGHT 18

/* How a child was made, each once. The first four copy nothing. */
static const struct way {
	const char *counter, *name, *color;
} ways[] = {
	{ "forks_lazy", "lazy", "#2a7f62" },
	{ "forks_lent", "lent", "#58b09c" },
	{ "spawns", "spawned", "#7da2c4" },
	{ "vforks", "vforked", "#386fa4" },
	{ "forks_real", "real", "#d1603d" },
	{ "forks_denied", "denied", "#7b2d26" },
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

static const char *const counters[REPORT_COUNTERS] = {
#define X(name, what) #name,
	FF_COUNTERS(X)
#undef X
};

/* Anybody's words: nothing of them is markup. */
static void text(FILE *out, const char *s, size_t n)
{
	for (; n && *s; s++, n--) {
		unsigned char c = (unsigned char)*s;

		if (c == '<' || c == '>' || c == '&' || c == '"')
			fprintf(out, "&#%d;", c);
		else
			fputc(c < 0x20 || c == 0x7f ? '?' : c, out);
	}
}

static long long made(const struct total *total, const struct way *way)
{
	for (size_t i = 0; i < REPORT_COUNTERS; i++)
		if (!strcmp(counters[i], way->counter))
			return total->sum[i] > 0 ? total->sum[i] : 0;
	return 0;
}

long long report_made(const struct total *total)
{
	long long sum = 0;

	for (size_t w = 0; w < WAYS; w++)
		sum = cli_line_add(sum, made(total, &ways[w]));
	return sum;
}

static void head(FILE *out)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	      "<meta name=\"viewport\" content=\"width=device-width\">"
	      "<title>flatfork report</title>\n<style>\n"
	      ":root{color-scheme:light dark}\n"
	      "body{font:14px sans-serif;margin:2em}\n"
	      "table{border-collapse:collapse;margin:1em 0}\n"
	      "td,th{padding:3px 10px;text-align:left;vertical-align:middle;"
	      "border-bottom:1px solid #8886}\n"
	      "td.n,th.n{text-align:right;white-space:nowrap}\n"
	      "td.w{white-space:nowrap}\n"
	      "th.c{text-align:center}\n"
	      "code{font-size:12px}\n"
	      "div{overflow-x:auto}\n"
	      "svg{display:block}\n"
	      "svg.b{width:40vw;min-width:150px;max-width:600px}\n"
	      "svg.t{border-bottom:1px solid}\n"
	      "span.k{white-space:nowrap;margin-right:14px}\n"
	      "span.k i{display:inline-block;width:12px;height:12px;"
	      "margin-right:4px}\n"
	      "</style></head><body>\n<h1>flatfork report</h1>\n",
	      out);
}

static void print_key(FILE *out, const char *color, const char *what)
{
	fprintf(out,
		"<span class=\"k\"><i style=\"background:%s\"></i>%s"
		"</span> ",
		color, what);
}

static void legend(FILE *out)
{
	fputs("<p>", out);
	for (size_t w = 0; w < WAYS; w++)
		print_key(out, ways[w].color, ways[w].name);
	fputs("</p>\n", out);
}

static void bar(FILE *out, const struct total *total, long long most)
{
	double at = 0;

	if (!report_made(total))
		return;
	fprintf(out,
		"<svg class=\"b\" height=\"%d\" viewBox=\"0 0 %d %d\" "
		"preserveAspectRatio=\"none\" role=\"img\">",
		BAR_HEIGHT, BAR_WIDTH, BAR_HEIGHT);
	for (size_t w = 0; w < WAYS; w++) {
		long long n = made(total, &ways[w]);
		double width = (double)n * BAR_WIDTH / (double)most;

		if (!n)
			continue;
		fprintf(out,
			"<rect x=\"%.1f\" width=\"%.1f\" height=\"%d\" "
			"fill=\"%s\"><title>%s: %lld</title></rect>",
			at, width, BAR_HEIGHT, ways[w].color, ways[w].name, n);
		at += width;
	}
	fputs("</svg>", out);
}

static void print_programs(FILE *out, const struct table *programs)
{
	long long most = 1;

	for (size_t i = 0; i < programs->entries; i++)
		if (report_made(programs->entry[i]) > most)
			most = report_made(programs->entry[i]);
	fputs("<h2>Programs</h2>\n", out);
	legend(out);
	fputs("<div><table><tr><th>program<th class=\"n\">processes"
	      "<th class=\"n\">children<th>made</tr>\n",
	      out);
	for (size_t i = 0; i < programs->entries; i++) {
		const struct total *total = programs->entry[i];

		fputs("<tr><td>", out);
		text(out, total->key, strlen(total->key));
		fprintf(out, "<td class=\"n\">%lu<td class=\"n\">%lld<td>",
			total->count, report_made(total));
		bar(out, total, most);
		fputs("</tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

static void print_places(FILE *out, const struct table *places)
{
	fputs("<h2>Places</h2>\n<div><table><tr><th class=\"n\">times"
	      "<th>what became of it<th>where</tr>\n",
	      out);
	for (size_t i = 0; i < places->entries; i++) {
		const char *key = places->entry[i]->key,
			   *tab = strchr(key, '\t');

		fprintf(out, "<tr><td class=\"n\">%lu<td>",
			places->entry[i]->count);
		text(out, key, (size_t)(tab - key));
		fputs("<td><code>", out);
		text(out, tab + 1, strlen(tab + 1));
		fputs("</code></tr>\n", out);
	}
	fputs("</table></div>\n", out);
}

static void print_site(FILE *out, const struct report_site *site,
		       const struct report_chart *chart)
{
	char ways_text[400], time[CLI_TIME_MAX];
	const char *gap = "";

	fprintf(out, "<tr><td class=\"n\">%llu",
		(unsigned long long)site->calls);
	for (unsigned t = 0; t < FF_TALLY_TIMES; t++) {
		fprintf(out, "<td class=\"n\">%s",
			report_site_time(site, t, 0.5, time));
		fprintf(out, "<td class=\"n\">%s",
			report_site_time(site, t, 0.99, time));
	}
	fputs("<td>", out);
	if (!report_chart_is_empty(chart))
		report_chart_print(out, chart, site);
	fputs("<td><code>", out);
	text(out, site->key, strlen(site->key));
	report_site_ways(site, ways_text, sizeof(ways_text));
	fprintf(out, "</code><td class=\"w\">%s<td class=\"n\">%llu", ways_text,
		(unsigned long long)(site->sum[FF_TALLY_absent] >> 20));
	fputs("<td>", out);
	for (unsigned i = 0; i < REPORT_WHYS && *site->why[i].text; i++) {
		if (!site->why[i].count)
			continue;
		fprintf(out, "%s%llu ", gap,
			(unsigned long long)site->why[i].count);
		text(out, site->why[i].text, sizeof(site->why[i].text));
		gap = "<br>";
	}
	fputs("</tr>\n", out);
}

static void print_sites(FILE *out, const struct report_sites *sites)
{
	struct report_chart chart;

	report_chart_measure(&chart, sites);
	fputs("<h2>Calls</h2>\n<p>How long each held its caller: ", out);
	print_key(out, report_chart_color[FF_TALLY_FLAT],
		  "flat, where no memory was copied");
	print_key(out, report_chart_color[FF_TALLY_COPIES],
		  "copies, where it was");
	fputs("</p>\n<div><table><tr><th class=\"n\" rowspan=\"2\">calls"
	      "<th class=\"c\" colspan=\"2\">flat"
	      "<th class=\"c\" colspan=\"2\">copies<th rowspan=\"2\">",
	      out);
	if (!report_chart_is_empty(&chart))
		report_chart_scale(out, &chart);
	fputs("<th rowspan=\"2\">where<th rowspan=\"2\">made"
	      "<th class=\"n\" rowspan=\"2\">MiB not<br>copied"
	      "<th rowspan=\"2\">why</tr>\n<tr><th class=\"n\">p50"
	      "<th class=\"n\">p99<th class=\"n\">p50"
	      "<th class=\"n\">p99</tr>\n",
	      out);
	for (size_t i = 0; i < sites->entries; i++)
		print_site(out, sites->entry[i], &chart);
	fputs("</table></div>\n", out);
}

void report_html(FILE *out, const struct table *programs,
		 const struct table *places, const struct report_sites *sites)
{
	head(out);
	if (programs->entries)
		print_programs(out, programs);
	if (places->entries)
		print_places(out, places);
	if (sites->entries)
		print_sites(out, sites);
	if (!programs->entries && !places->entries && !sites->entries)
		fputs("<p>No line of a log or of statistics.</p>\n", out);
	fputs("</body></html>\n", out);
}
