/* libsmartcols, as the command has its tables: to either output, in UTF-8. */
#include "cli/table.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"

struct cli_table {
	struct libscols_table *table;
	struct libscols_line *row;
	size_t cell;
};

static void must(bool good)
{
	if (good)
		return;
	cli_complain("", "%s", strerror(ENOMEM));
	exit(CLI_FAILED);
}

/* It asks standard output, and we may write to standard error. */
static void measure(struct libscols_table *table, int fd)
{
	struct winsize room;

	scols_table_set_termforce(table, isatty(fd) ? SCOLS_TERMFORCE_ALWAYS :
						      SCOLS_TERMFORCE_NEVER);
	if (isatty(fd) && !ioctl(fd, TIOCGWINSZ, &room) && room.ws_col)
		scols_table_set_termwidth(table, room.ws_col);
}

struct cli_table *cli_table_new(FILE *out)
{
	struct cli_table *made = calloc(1, sizeof(*made));

	/* As statistics are, whoever reads them. */
	setlocale(LC_CTYPE, "C.UTF-8");
	must(made && (made->table = scols_new_table()) &&
	     !scols_table_set_stream(made->table, out) &&
	     !scols_table_set_column_separator(made->table, "  "));
	measure(made->table, fileno(out));
	return made;
}

void cli_table_number(struct cli_table *table, const char *title)
{
	must(scols_table_new_column(table->table, title, 0, SCOLS_FL_RIGHT));
}

void cli_table_text(struct cli_table *table, const char *title)
{
	must(scols_table_new_column(table->table, title, 0, SCOLS_FL_WRAP));
}

void cli_table_row(struct cli_table *table)
{
	table->row = scols_table_new_line(table->table, NULL);
	table->cell = 0;
	must(table->row);
}

void cli_table_skip(struct cli_table *table, size_t cells)
{
	table->cell += cells;
}

void cli_table_cell(struct cli_table *table, const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	must(n >= 0 && !scols_line_refer_data(table->row, table->cell++, text));
}

void cli_table_print(struct cli_table *table)
{
	must(!scols_print_table(table->table));
	scols_unref_table(table->table);
	free(table);
}
