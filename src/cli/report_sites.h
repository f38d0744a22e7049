/* Places, by what statistics tell of them. */
#ifndef FF_CLI_REPORT_SITES_H
#define FF_CLI_REPORT_SITES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/times.h"
#include "site/tally.h"

#define REPORT_WHYS 24

struct report_site {
	char *key; /* "PROGRAM: CALL at PLACE in FUNCTION"; malloc'ed */
	uint64_t calls;
	uint64_t way[FF_TALLY_WAY_COUNT];
	uint64_t sum[FF_TALLY_SUM_COUNT];
	struct {
		char text[128]; /* "": no more */
		uint64_t count;
	} why[REPORT_WHYS];
	struct cli_times times[FF_TALLY_TIMES];
};

struct report_sites {
	void *tree;
	struct report_site **entry; /* malloc'ed */
	size_t entries;
};

/* False: it is no line of that kind. */
bool report_sites_take(struct report_sites *sites, const json_t *line);

/* Once all is read: most first. */
void report_sites_sort(struct report_sites *sites);
void report_sites_print(FILE *out, const struct report_sites *sites);

/* "lazy 3, real 4" */
void report_site_ways(const struct report_site *site, char *text, size_t size);

/* Of enum ff_tally_time; "-": not known. */
const char *report_site_time(const struct report_site *site, unsigned time,
			     double q, char text[CLI_TIME_MAX]);

#endif
