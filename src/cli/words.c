/* What is said of what was typed: complaints, and which word was meant. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#define LONGEST 24

void cli_complain(const char *where, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "flatfork%s%s: ", *where ? " " : "", where);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

void cli_print_words(const char *text)
{
	for (; *text; text++)
		putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' :
								      *text);
}

int cli_needless(const char *where, const char *argument)
{
	cli_complain(where, "'%s': no argument is taken", argument);
	return CLI_FAILED;
}

/* How many letters are changed, added or left away between the two. */
static size_t distance(const char *a, const char *b)
{
	const size_t n = strlen(b);
	size_t row[LONGEST + 1];

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; *a; i++, a++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t above = row[j],
			       best = diagonal + (*a != b[j - 1]);

			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[n];
}

void cli_nearer(const char *word, const char *candidate, const char **nearest)
{
	const size_t n = strlen(candidate);
	size_t d;

	if (strlen(word) > LONGEST || n > LONGEST)
		return;
	d = distance(word, candidate);
	/* A third of it may be wrong. */
	if (d <= (n + 3) / 3 && (!*nearest || d < distance(word, *nearest)))
		*nearest = candidate;
}

long cli_pid(const char *where, const char *text)
{
	char path[64], *end;
	long pid;

	errno = 0;
	pid = strtol(text, &end, 10);
	if (*text < '1' || *text > '9' || *end || errno) {
		cli_complain(where, "'%s' is not a process: 1234", text);
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/%ld", pid);
	if (access(path, F_OK)) {
		cli_complain(where, "process %ld: %s", pid,
			     errno == ENOENT || errno == ESRCH ?
				     "there is none" :
				     strerror(errno));
		return 0;
	}
	return pid;
}
