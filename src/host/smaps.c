#include "host/smaps.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "host/sys.h"

#define LINE_BYTES 256

int ff_smaps_open(struct ff_smaps *smaps)
{
	int rc = ff_hold(&smaps->file, "/proc/self/smaps");

	smaps->have = smaps->at = 0;
	smaps->from = 0;
	return rc;
}

void ff_smaps_close(struct ff_smaps *smaps)
{
	ff_release(&smaps->file);
}

/* What fits of the next line, without its end; its length, 0 at the end of all,
 * or -errno. No line is empty. */
static int next_line(struct ff_smaps *smaps, char line[LINE_BYTES])
{
	unsigned used = 0;
	long got;
	char c;

	for (;;) {
		if (smaps->at == smaps->have) {
			got = sys(pread64, smaps->file.fd, smaps->buffer,
				  sizeof(smaps->buffer), smaps->from);
			if (got < 0)
				return (int)got;
			if (got == 0)
				break;
			smaps->have = (unsigned)got;
			smaps->from += (uint64_t)got;
			smaps->at = 0;
		}
		c = smaps->buffer[smaps->at++];
		if (c == '\n')
			break;
		if (used < LINE_BYTES - 1)
			line[used++] = c;
	}
	line[used] = 0;
	return (int)used;
}

static const char *hex(const char *s, uint64_t *ret)
{
	*ret = 0;
	for (;; s++) {
		if (*s >= '0' && *s <= '9')
			*ret = *ret << 4 | (unsigned)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			*ret = *ret << 4 | (unsigned)(*s - 'a' + 10);
		else
			return s;
	}
}

/* "start-end rwxp offset major:minor inode   name" */
static bool is_head(const char *line, struct ff_mapping *ret)
{
	uint64_t start, end, skipped, major, minor, inode;
	const char *s = hex(line, &start);

	if (s == line || *s != '-')
		return false;
	s = hex(s + 1, &end);
	if (strlen(s) < sizeof(" rwxp "))
		return false;
	ret->start = start;
	ret->end = end;
	ret->prot = ff_prot_of(s + 1);
	ret->shared = s[4] == 's';
	s = hex(s + 6, &skipped);
	s = *s ? hex(s + 1, &major) : s;
	s = *s ? hex(s + 1, &minor) : s;
	if (!*s)
		return false;
	hex(s + 1, &inode);
	ret->anonymous = inode == 0 && major == 0 && minor == 0;
	return true;
}

int ff_smaps_next_wiped(struct ff_smaps *smaps, struct ff_mapping *ret)
{
	static const char flags[] = "VmFlags:";
	struct ff_mapping seen = { 0 };
	char line[LINE_BYTES];
	int rc;

	while ((rc = next_line(smaps, line)) > 0) {
		if (is_head(line, &seen) || !seen.end ||
		    strncmp(line, flags, sizeof(flags) - 1))
			continue;
		if (!strstr(line, " wf") || strstr(line, " dp"))
			continue;
		*ret = seen;
		return 1;
	}
	return rc;
}
