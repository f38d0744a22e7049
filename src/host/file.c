#include "host/file.h"

#include <string.h>

#include "host/device.h"
#include "host/held.h"
#include "host/sys.h"

long ff_read_file(const char *path, char *buffer, size_t size)
{
	struct ff_held file;
	long got = ff_hold(&file, path), rc;

	if (got < 0)
		return got;
	got = sys(pread64, file.fd, buffer, size - 1, 0);
	rc = ff_release(&file);
	if (rc < 0)
		got = rc;
	buffer[got < 0 ? 0 : got] = 0;
	return got;
}

uint64_t ff_number_at(const char *s)
{
	uint64_t n = 0;

	while (*s == ' ' || *s == '\t')
		s++;
	for (; *s >= '0' && *s <= '9'; s++)
		n = n * 10 + (uint64_t)(*s - '0');
	return n;
}

int64_t ff_stat_number(const char *stat, int nth)
{
	/* The second is a name, which may have anything in it. */
	const char *at = strrchr(stat, ')');
	int word;

	for (word = 2; at && word < nth; word++)
		at = strchr(at + 1, ' ');
	return at && at[1] >= '0' && at[1] <= '9' ? (int64_t)ff_number_at(at) :
						    -1;
}

bool ff_is_null(const struct stat *st)
{
	const unsigned which = ff_minor(st->st_rdev);

	return S_ISCHR(st->st_mode) && ff_major(st->st_rdev) == 1 &&
	       (which == 3 || which == 5 || (which >= 7 && which <= 9));
}
