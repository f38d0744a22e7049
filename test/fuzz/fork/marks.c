/* See marks.h. */
#include "marks.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PAGE = 4096,
};

/* The kernel counts the pages of each mapping for this: once for all places. */
static size_t read_all(char *text, size_t room)
{
	int fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return 0;
	while ((got = read(fd, text + n, room - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	text[n] = '\0';
	return n;
}

uint64_t marks_at(const char *const *at, int *ret_marks, unsigned n)
{
	static char text[1 << 18];
	unsigned long from = 0, to = 0;
	uint64_t all = 0;
	char *line, *next;

	memset(ret_marks, 0, n * sizeof(*ret_marks));
	if (!read_all(text, sizeof(text)))
		return MARKS_UNKNOWN;
	for (line = text; (next = strchr(line, '\n')); line = next + 1) {
		*next = '\0';
		/* the words of a mapping begin with a capital */
		if (*line > 'Z' || *line < 'A') {
			from = strtoul(line, &line, 16);
			to = strtoul(line + 1, NULL, 16);
		}
		if (strncmp(line, "VmFlags:", 8))
			continue;
		int now = (strstr(line, " dc") ? MARK_DONTFORK : 0) +
			  (strstr(line, " wf") ? MARK_WIPED : 0);

		for (unsigned i = 0; now && i < n; i++)
			if (from <= (unsigned long)at[i] &&
			    (unsigned long)at[i] < to)
				ret_marks[i] = now;
		/* what the library keeps is not reserved, or one page */
		if (now && to - from > PAGE && !strstr(line, " nr"))
			all += (to - from) / PAGE;
	}
	return all;
}

uint64_t marks_all(void)
{
	int none;

	return marks_at(NULL, &none, 0);
}
