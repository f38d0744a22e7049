/*
 * How long the calls of a place took, as bars: a bucket of the statistics each
 * (four for each power of two), on one scale for all places of a page.
 */
#include "cli/report_chart.h"

#include <inttypes.h>
#include <string.h>

#define BAR_WIDTH 5
#define HEIGHT 32

static const char *const names[FF_TALLY_TIMES] = { "flat", "copies" };
/* Those of the lazy and the real. */
const char *const report_chart_color[FF_TALLY_TIMES] = { "#2a7f62", "#d1603d" };

/* By kind and bucket. */
struct calls {
	uint64_t in[FF_TALLY_TIMES][FF_TALLY_BUCKETS];
};

static void count_calls(const struct report_site *site, struct calls *ret_calls)
{
	memset(ret_calls, 0, sizeof(*ret_calls));
	for (unsigned t = 0; t < FF_TALLY_TIMES; t++)
		for (unsigned i = 0; i < CLI_TIMES_BUCKETS; i++)
			ret_calls->in[t][ff_tally_bucket(cli_times_ns(i))] +=
				site->times[t].bucket[i];
}

static uint64_t all_in(const struct calls *calls, unsigned bucket)
{
	uint64_t sum = 0;

	for (unsigned t = 0; t < FF_TALLY_TIMES; t++)
		sum += calls->in[t][bucket];
	return sum;
}

/* The first has all that is shorter. */
static uint64_t begin_of(unsigned bucket)
{
	return bucket ? ff_tally_from(bucket) : 0;
}

void report_chart_measure(struct report_chart *chart,
			  const struct report_sites *sites)
{
	struct calls calls;

	chart->first = FF_TALLY_BUCKETS;
	chart->last = 0;
	for (size_t i = 0; i < sites->entries; i++) {
		count_calls(sites->entry[i], &calls);
		for (unsigned b = 0; b < FF_TALLY_BUCKETS; b++) {
			if (!all_in(&calls, b))
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
		      unsigned bucket, const struct calls *calls, uint64_t most)
{
	double bottom = HEIGHT;
	char text[CLI_TIME_MAX];

	for (unsigned t = 0; t < FF_TALLY_TIMES; t++) {
		const uint64_t n = calls->in[t][bucket];
		double height = (double)n * HEIGHT / (double)most;

		if (!n)
			continue;
		/* One call of a million is seen, too. */
		if (height < 1)
			height = 1;
		bottom = bottom > height ? bottom - height : 0;
		fprintf(out,
			"<rect x=\"%u\" y=\"%.1f\" width=\"%d\" "
			"height=\"%.1f\" fill=\"%s\"><title>%s, %s",
			(bucket - chart->first) * BAR_WIDTH, bottom,
			BAR_WIDTH - 1, height, report_chart_color[t], names[t],
			cli_time_text(begin_of(bucket), text));
		fprintf(out, " to %s: %" PRIu64 "</title></rect>",
			cli_time_text(ff_tally_from(bucket + 1), text), n);
	}
}

void report_chart_print(FILE *out, const struct report_chart *chart,
			const struct report_site *site)
{
	const unsigned width = (chart->last - chart->first + 1) * BAR_WIDTH;
	struct calls calls;
	uint64_t most = 0;

	count_calls(site, &calls);
	for (unsigned b = chart->first; b <= chart->last; b++)
		if (all_in(&calls, b) > most)
			most = all_in(&calls, b);
	if (!most)
		return;
	fprintf(out,
		"<svg class=\"t\" width=\"%u\" height=\"%d\" role=\"img\">",
		width, HEIGHT);
	for (unsigned b = chart->first; b <= chart->last; b++)
		if (all_in(&calls, b))
			print_bar(out, chart, b, &calls, most);
	fputs("</svg>", out);
}
