/* What report adds up, and how it is printed. */
#ifndef FF_CLI_REPORT_H
#define FF_CLI_REPORT_H

#include <stddef.h>
#include <stdio.h>

#include "cli/report_sites.h"
#include "tell/stats.h"

#define X(name, what) +1
enum {
	REPORT_COUNTERS = 0 FF_COUNTERS(X)
};
#undef X

/* All lines that say the same, or of programs of one name. */
struct total {
	char *key; /* first, as it is compared; malloc'ed */
	unsigned long count;
	long long made; /* children, of programs */
	long long sum[REPORT_COUNTERS];
};

struct table {
	void *tree;
	struct total **entry; /* in order, once all is read; malloc'ed */
	size_t entries;
};

/* Children of a program's processes, each once, whatever way it was made. */
long long report_made(const struct total *total);

/*
 * A page of its own, without a script or anything from elsewhere. Keys are
 * other processes' words: a place's are "OUTCOME\tNAME at SITE".
 */
void report_html(FILE *out, const struct table *programs,
		 const struct table *places, const struct report_sites *sites);

#endif
