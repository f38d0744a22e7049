/* See marks.h. */
#include "marks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	PAGE = 4096,
};

int marks_at(const char *at, uint64_t *ret_all)
{
	static char text[1 << 18];
	unsigned long from = 0, to = 0, bytes = 0, where = (unsigned long)at;
	int fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC), found = 0;
	char *line, *next;
	size_t n = 0;
	ssize_t got;

	*ret_all = 0;
	if (fd < 0)
		return -errno;
	while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	text[n] = '\0';
	for (line = text; (next = strchr(line, '\n')); line = next + 1) {
		*next = '\0';
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			bytes = to - from;
		if (strncmp(line, "VmFlags:", 8))
			continue;
		int now = (strstr(line, " dc") ? MARK_DONTFORK : 0) +
			  (strstr(line, " wf") ? MARK_WIPED : 0);

		if (from <= where && where < to)
			found = now;
		/* what the library keeps is not reserved, or one page */
		if (now && bytes > PAGE && !strstr(line, " nr"))
			*ret_all += bytes / PAGE;
	}
	return found;
}

uint64_t marks_all(void)
{
	uint64_t pages;

	return marks_at(NULL, &pages) < 0 ? MARKS_UNKNOWN : pages;
}
