/* Print the option table as the README has to have it. */
#include <stdio.h>

#include "tell/options.h"

/* A bar inside of a cell would end it. */
static void cell(const char *text)
{
	fputs("`", stdout);
	for (; *text; text++)
		fputs(*text == '|' ? "\\|" : (char[]){ *text, '\0' }, stdout);
	fputs("`", stdout);
}

int main(void)
{
	for (size_t i = 0; i < FF_OPTION_COUNT; i++) {
		const struct ff_option *option = &ff_option_table[i];

		fputs("| ", stdout);
		cell(option->env);
		fputs(" | ", stdout);
		if (option->flag)
			cell(option->flag);
		fputs(" | ", stdout);
		cell(option->values);
		fputs(" | ", stdout);
		if (*option->fallback)
			cell(option->fallback);
		printf(" | %s |\n", option->what);
	}
	return 0;
}
