/*
 * How long the calls of a place took, as bars: a bucket of the statistics each
 * (four for each power of two), on one scale for all places of a page.
 */
#include "cli/report_chart.h"

#include <inttypes.h>

#define BAR_WIDTH 5
#define HEIGHT 32

static const char *const names[FF_TALLY_TIMES] = { "flat", "copies" };
/* Those of the lazy and the real. */
const char *const report_chart_color[FF_TALLY_TIMES] = { "#2a7f62", "#d1603d" };

/* The first has all that is shorter, the last all that is longer. */
static uint64_t begin_of(unsigned bucket)
{
	return bucket ? ff_tally_from(bucket) : 0;
}

static uint64_t end_of(unsigned bucket)
{
	return bucket + 1 < FF_TALLY_BUCKETS ? ff_tally_from(bucket + 1) :
					       UINT64_MAX;
}

/* The calls of each kind in a bucket; what they add up to. */
static uint64_t calls_in(const struct report_site *site, unsigned bucket,
			 uint64_t ret_calls[FF_TALLY_TIMES])
{
	uint64_t sum = 0;

	for (unsigned t = 0; t < FF_TALLY_TIMES; t++) {
		ret_calls[t] = cli_times_between(
			&site->times[t], begin_of(bucket), end_of(bucket));
		sum += ret_calls[t];
	}
	return sum;
}

void report_chart_measure(struct report_chart *chart,
			  const struct report_sites *sites)
{
	uint64_t calls[FF_TALLY_TIMES];

	chart->first = FF_TALLY_BUCKETS;
	chart->last = 0;
	for (size_t i = 0; i < sites->entries; i++) {
		for (unsigned b = 0; b < FF_TALLY_BUCKETS; b++) {
			if (!calls_in(sites->entry[i], b, calls))
				continue;
			if (b < chart->first)
				chart->first = b;
			if (b > chart->last)
				chart->last = b;
		}
	}
}

bool report_chart_is_empty(const struct report_chart *chart)
{
	return chart->first > chart->last;
}

void report_chart_scale(FILE *out, const struct report_chart *chart)
{
	char text[CLI_TIME_MAX];

	fprintf(out, "how long, from %s",
		cli_time_text(begin_of(chart->first), text));
	fprintf(out, " to %s",
		cli_time_text(ff_tally_from(chart->last + 1), text));
}

static void print_bar(FILE *out, const struct report_chart *chart,
		      unsigned bucket, const uint64_t calls[FF_TALLY_TIMES],
		      uint64_t most)
{
	double bottom = HEIGHT;
	char text[CLI_TIME_MAX];

	for (unsigned t = 0; t < FF_TALLY_TIMES; t++) {
		double height = (double)calls[t] * HEIGHT / (double)most;

		if (!calls[t])
			continue;
		/* One call of a million is seen, too. */
		if (height < 1)
			height = 1;
		bottom -= height;
		fprintf(out,
			"<rect x=\"%u\" y=\"%.1f\" width=\"%d\" "
			"height=\"%.1f\" fill=\"%s\"><title>%s, %s",
			(bucket - chart->first) * BAR_WIDTH, bottom,
			BAR_WIDTH - 1, height, report_chart_color[t], names[t],
			cli_time_text(begin_of(bucket), text));
		fprintf(out, " to %s: %" PRIu64 "</title></rect>",
			cli_time_text(ff_tally_from(bucket + 1), text),
			calls[t]);
	}
}

void report_chart_print(FILE *out, const struct report_chart *chart,
			const struct report_site *site)
{
	const unsigned width = (chart->last - chart->first + 1) * BAR_WIDTH;
	uint64_t calls[FF_TALLY_TIMES], sum, most = 0;

	for (unsigned b = chart->first; b <= chart->last; b++) {
		sum = calls_in(site, b, calls);
		most = sum > most ? sum : most;
	}
	if (!most)
		return;
	fprintf(out,
		"<svg class=\"t\" width=\"%u\" height=\"%d\" role=\"img\">",
		width, HEIGHT);
	for (unsigned b = chart->first; b <= chart->last; b++)
		if (calls_in(site, b, calls))
			print_bar(out, chart, b, calls, most);
	fputs("</svg>", out);
}
