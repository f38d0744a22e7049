/* A table in text, which libsmartcols lays out. */
#ifndef FF_CLI_TABLE_H
#define FF_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct cli_table;

struct cli_table *cli_table_new(FILE *out);

/* All before the first row. What is a number goes to the right, and whole; what
 * is text is wrapped where @out is a terminal that has no room. */
void cli_table_number(struct cli_table *table, const char *title);
void cli_table_text(struct cli_table *table, const char *title);

/* Cells of a new row are empty until they are set, one after the other. */
void cli_table_row(struct cli_table *table);
void cli_table_skip(struct cli_table *table, size_t cells);
void cli_table_cell(struct cli_table *table, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Frees it, too. */
void cli_table_print(struct cli_table *table);

#endif
