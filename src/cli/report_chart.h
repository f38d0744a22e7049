/* How long calls took, drawn. */
#ifndef FF_CLI_REPORT_CHART_H
#define FF_CLI_REPORT_CHART_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/report_sites.h"

/* By enum ff_tally_time. */
extern const char *const report_chart_color[FF_TALLY_TIMES];

/* The buckets that any place has calls in. */
struct report_chart {
	unsigned first, last;
};

void report_chart_measure(struct report_chart *chart,
			  const struct report_sites *sites);
bool report_chart_is_empty(const struct report_chart *chart);

/* What left and right end mean, in words; nothing is to be drawn if empty. */
void report_chart_scale(FILE *out, const struct report_chart *chart);
void report_chart_print(FILE *out, const struct report_chart *chart,
			const struct report_site *site);

#endif
