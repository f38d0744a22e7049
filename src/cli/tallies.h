/* What a process that runs counts of its places (site/tally.h). */
#ifndef FF_CLI_TALLIES_H
#define FF_CLI_TALLIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/times.h"
#include "site/tally.h"

struct cli_tally {
	char place[128]; /* module and offset */
	char call[32];
	char why[FF_TALLY_WHYS][96];
	struct ff_tally n;
};

struct cli_tallies {
	size_t count;
	struct cli_tally row[FF_TALLY_ROWS];
};

/*
 * False: they can't be read, or the object that is there has none, or other
 * ones. What is read are another process's bytes: numbers, and text of
 * printable characters. @names: and the words in it.
 */
bool cli_tallies_read(long pid, bool names, struct cli_tallies *ret_tallies);

/* Add all times of @row. */
void cli_tally_times(const struct cli_tally *row, struct cli_times *ret_times);

/* Some lines for each place, each behind @indent. */
void cli_tallies_print(FILE *out, const char *indent,
		       const struct cli_tallies *tallies);

#endif
