/*
 * The counters of a process that runs, read out of its memory by the mark that
 * is before them: it does nothing for that, and is not stopped. What is found
 * are numbers, whoever wrote them.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "tell/stats.h"

#define MAPPING_MAX ((size_t)1 << 20)

/* A mapping of the object, copied; malloc'ed. */
static char *copy_mapping(int mem, uint64_t start, uint64_t end, size_t *ret_n)
{
	size_t n = end - start < MAPPING_MAX ? end - start : MAPPING_MAX;
	char *text = malloc(n + 1);
	ssize_t got = text ? pread(mem, text, n, (off_t)start) : -1;

	if (got <= 0) {
		free(text);
		return NULL;
	}
	text[got] = '\0';
	*ret_n = (size_t)got;
	return text;
}

/* As our own are: a process may call its counters what it likes, and this goes
 * to a terminal. */
static size_t name_length(const char *at)
{
	return strspn(at, "abcdefghijklmnopqrstuvwxyz_0123456789");
}

/* "NAME,NAME,": what the object that is there counts. */
static void take_names(struct cli_counters *counters, const char *at,
		       const char *end)
{
	size_t n = 0;

	while (n < CLI_COUNTERS_MAX && at < end && *at) {
		size_t length = name_length(at);

		if (!length || length >= sizeof(counters->name[0]) ||
		    at + length >= end || at[length] != ',')
			break;
		memcpy(counters->name[n], at, length);
		counters->name[n++][length] = '\0';
		at += length + 1;
	}
	counters->count = n;
}

static void look(struct cli_counters *counters, bool *has_values,
		 const char *text, size_t n, bool writable)
{
	const size_t mark = sizeof(FF_STATS_MARK),
		     names = sizeof(FF_STATS_NAMES) - 1;
	const char *found;

	if (writable) {
		if (memmem(text, n, FF_STATS_ASIDE, sizeof(FF_STATS_ASIDE)))
			counters->is_aside = true;
		found = memmem(text, n, FF_STATS_MARK, mark);
		if (found && (size_t)(text + n - found) >=
				     mark + sizeof(counters->value)) {
			memcpy(counters->value, found + mark,
			       sizeof(counters->value));
			*has_values = true;
		}
	} else if (!counters->count) {
		found = memmem(text, n, FF_STATS_NAMES, names);
		if (found)
			take_names(counters, found + names, text + n);
	}
}

bool cli_counters_read(long pid, struct cli_counters *ret_counters)
{
	char path[64], line[PATH_MAX + 128], mode[8];
	bool has_values = false;
	uint64_t start, end;
	FILE *maps;
	int mem;

	memset(ret_counters, 0, sizeof(*ret_counters));
	snprintf(path, sizeof(path), "/proc/%ld/maps", pid);
	maps = fopen(path, "re");
	snprintf(path, sizeof(path), "/proc/%ld/mem", pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	while (maps && mem >= 0 && fgets(line, sizeof(line), maps)) {
		size_t n;
		char *text;

		if (!strstr(line, "/" FF_OBJECT) ||
		    sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &start, &end,
			   mode) != 3 ||
		    *mode != 'r')
			continue;
		text = copy_mapping(mem, start, end, &n);
		if (text)
			look(ret_counters, &has_values, text, n,
			     mode[1] == 'w');
		free(text);
	}
	if (maps)
		fclose(maps);
	if (mem >= 0)
		close(mem);
	return has_values && ret_counters->count;
}

bool cli_counters_print(long pid)
{
	struct cli_counters counters;
	const char *comma = "";

	if (!cli_counters_read(pid, &counters))
		return false;
	for (size_t i = 0; i < counters.count; i++) {
		if (!counters.value[i])
			continue;
		printf("%s%s %ld", comma, counters.name[i], counters.value[i]);
		comma = ", ";
	}
	puts(*comma ? "" : "nothing yet");
	return true;
}
