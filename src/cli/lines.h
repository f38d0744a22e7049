/* Lines of logs and statistics: text, and objects of JSON. */
#ifndef FF_CLI_LINES_H
#define FF_CLI_LINES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CLI_LINE_MAX 8192 /* twice what is written as one */

/*
 * The next, without its end; control characters are '?' in it, as it may come
 * to a terminal. Those that are longer are left out. False: there is none.
 */
bool cli_line_read(FILE *in, char line[CLI_LINE_MAX]);

/* NULL: it is none. */
json_t *cli_line_object(const char *line);

/* A string in it, as it may be printed. False: @string is none. */
bool cli_line_string(const json_t *string, char *text, size_t size);

/* What each of @names adds up to in the lines of a file. */
void cli_line_sums(const char *path, const char *const *names, size_t n,
		   long long *ret_sums);

/* The sum, or what is nearest to it. */
long long cli_line_add(long long a, long long b);

#endif
