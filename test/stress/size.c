/* See size.h. Read by calls that allocate nothing: what looks must not change
 * what it looks at. */
#include "size.h"
#include "t.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Line by line; a line longer than the buffer comes in pieces. */
struct lines {
	int fd;
	size_t have, at;
	char text[16384];
};

static void lines_open(struct lines *l, const char *path)
{
	l->fd = open(path, O_RDONLY | O_CLOEXEC);
	l->have = l->at = 0;
	CHECK(l->fd >= 0);
}

static char *lines_next(struct lines *l)
{
	char *line, *end;

	for (;;) {
		line = l->text + l->at;
		end = memchr(line, '\n', l->have - l->at);
		if (end)
			break;
		memmove(l->text, line, l->have - l->at);
		l->have -= l->at;
		l->at = 0;
		CHECK(l->have < sizeof(l->text));
		ssize_t n = read(l->fd, l->text + l->have,
				 sizeof(l->text) - l->have);
		CHECK(n >= 0);
		if (n == 0) {
			close(l->fd);
			return NULL;
		}
		l->have += (size_t)n;
	}
	*end = '\0';
	l->at = (size_t)(end + 1 - l->text);
	return line;
}

/* Of the program: the library's own are single pages, and memory that is not
 * reserved, of which the tests have none. */
static bool is_marked(const char *flags, unsigned long bytes)
{
	return bytes > 4096 && !strstr(flags, " nr") &&
	       (strstr(flags, " dc") || strstr(flags, " wf"));
}

static void look_at_mappings(struct size *s)
{
	unsigned long from, to, bytes = 0;
	static struct lines l;
	char *line;

	lines_open(&l, "/proc/self/smaps");
	while ((line = lines_next(&l))) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			bytes = to - from;
		if (strncmp(line, "VmFlags:", 8))
			continue;
		s->mappings++;
		s->marks += is_marked(line, bytes);
	}
}

struct size size_now(void)
{
	static struct lines l;
	struct size s = { 0 };
	char *line;

	for (int fd = 0; fd < 4096; fd++)
		s.fds += fcntl(fd, F_GETFD) >= 0;
	lines_open(&l, "/proc/self/statm");
	while ((line = lines_next(&l)))
		CHECK(sscanf(line, "%*d %ld", &s.kib) == 1);
	s.kib *= sysconf(_SC_PAGESIZE) / 1024;
	look_at_mappings(&s);
	return s;
}
