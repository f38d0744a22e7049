/*
 * A seccomp filter around this process: what of the calls that forks, vforks
 * and spawns need does it allow? Asked of it as the interposer asks
 * (process/ask.h), but for everything, whatever the answers are.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "process/ask.h"

/* What a call is for, as the answers are said. */
static const struct {
	enum ff_need need;
	const char *name;
} ways[] = {
	{ FF_NEED_LAZY, "lazy forks" },	 { FF_NEED_VFORK, "vfork" },
	{ FF_NEED_FENCE, "lent forks" }, { FF_NEED_SPAWN, "spawns" },
	{ FF_NEED_TELL, "the log" },
};

#define WAYS (sizeof(ways) / sizeof(*ways))

/* The number behind "@name:" in the status of this thread, -1: there is none. */
static long status_number(const char *name)
{
	char line[256];
	size_t n = strlen(name);
	long value = -1;
	FILE *in = fopen("/proc/thread-self/status", "re");

	while (in && fgets(line, sizeof(line), in))
		if (!strncmp(line, name, n) && line[n] == ':')
			value = strtol(line + n + 1, NULL, 10);
	if (in)
		fclose(in);
	return value;
}

static bool is_asked;

void cli_filter_ask(void)
{
	if (status_number("Seccomp") != 2 || status_number("TracerPid") > 0)
		return;
	is_asked = ff_ask(0, true) == 0;
}

bool cli_filter_allows(enum ff_ask which)
{
	return !is_asked || ff_ask_answer(which) == FF_ALLOWED;
}

static const char *answer_text(enum ff_answer answer)
{
	switch (answer) {
	case FF_REFUSED:
		return "refused";
	case FF_MADE_UP:
		return "makes up success";
	case FF_KILLED:
		return "kills";
	case FF_SILENT:
		return "no answer";
	default:
		return "not asked";
	}
}

static void answer_print(FILE *out, enum ff_ask which)
{
	const enum ff_answer answer = ff_ask_answer(which);
	const char *before = " (";

	if (answer == FF_ALLOWED)
		return;
	fprintf(out, "  %-38s %s", ff_ask_words(which), answer_text(answer));
	for (size_t i = 0; i < WAYS; i++) {
		if (!(ff_ask_needs(which) & ways[i].need))
			continue;
		fprintf(out, "%s%s", before, ways[i].name);
		before = ", ";
	}
	fputs(*before == ',' ? ")\n" : "\n", out);
}

static void ways_print(FILE *out)
{
	for (size_t i = 0; i < WAYS; i++) {
		const char *why = ff_ask_why_not(ways[i].need);

		if (why)
			fprintf(out, "  %s: no: %s\n", ways[i].name, why);
	}
}

bool cli_filter_print(FILE *out)
{
	const long mode = status_number("Seccomp");
	unsigned allowed = 0, i;

	fprintf(out, "%-22s ", "seccomp");
	if (mode <= 0) {
		fputs(mode ? "not in this kernel\n" : "not in force\n", out);
		return true;
	}
	if (!is_asked) {
		fputs("in force, and can't be asked: forks are real\n", out);
		return false;
	}
	for (i = 0; i < FF_ASK_COUNT; i++)
		allowed += ff_ask_answer(i) == FF_ALLOWED;
	fprintf(out, "in force: %u of %u calls that we make are allowed\n",
		allowed, (unsigned)FF_ASK_COUNT);
	for (i = 0; i < FF_ASK_COUNT; i++)
		answer_print(out, i);
	ways_print(out);
	return !ff_ask_why_not(FF_NEED_LAZY);
}
