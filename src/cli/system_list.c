/* The list of what every program loads: read, looked through, replaced. */
#include "cli/system_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

/* Of an image: a link in it may lead to what is this machine's. */
static bool is_inside(const struct system_list *list)
{
	const size_t n = strlen(list->root);
	char *etc, path[PATH_MAX];
	bool inside;

	snprintf(path, sizeof(path), "%s%.*s", list->root,
		 (int)(strrchr(SYSTEM_LIST, '/') - SYSTEM_LIST), SYSTEM_LIST);
	etc = realpath(path, NULL);
	inside = etc && !strncmp(etc, list->root, n) && etc[n] == '/';
	if (!etc)
		cli_complain(list->where, "%s: %s", path, strerror(errno));
	else if (!inside)
		cli_complain(list->where, "%s leads out of %s: to %s", path,
			     list->root, etc);
	free(etc);
	return inside;
}

/* The folder has the lock: the list itself is another file each time. */
static bool lock_list(const struct system_list *list)
{
	char folder[PATH_MAX];
	int fd;

	snprintf(folder, sizeof(folder), "%.*s",
		 (int)(strrchr(list->path, '/') - list->path), list->path);
	fd = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	if (fd >= 0 && !flock(fd, LOCK_EX))
		return true;
	cli_complain(list->where, "%s: %s", folder, strerror(errno));
	return false;
}

static FILE *open_list(const struct system_list *list)
{
	int fd = open(list->path,
		      O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	FILE *in = fd >= 0 ? fdopen(fd, "r") : NULL;

	if (fd >= 0 && !in)
		close(fd);
	return in;
}

/* What can't be written again as it was: NULL, or why. */
static const char *take_text(struct system_list *list, FILE *in)
{
	struct stat s;
	size_t n;

	if (fstat(fileno(in), &s))
		return strerror(errno);
	if (!S_ISREG(s.st_mode))
		return "is not a file";
	n = fread(list->text, 1, sizeof(list->text) - 1, in);
	if (ferror(in))
		return strerror(errno);
	if (n == sizeof(list->text) - 1)
		return "too long";
	if (strlen(list->text) != n)
		return "is not a text: it has a byte 0";
	list->mode = s.st_mode & 0777;
	return NULL;
}

bool system_list_read(struct system_list *list, bool lock)
{
	const char *why;
	FILE *in;

	if (snprintf(list->path, sizeof(list->path), "%s" SYSTEM_LIST,
		     list->root) >= (int)sizeof(list->path)) {
		cli_complain(list->where, "%s: %s", list->root,
			     strerror(ENAMETOOLONG));
		return false;
	}
	if (*list->root && !is_inside(list))
		return false;
	if (lock && !lock_list(list))
		return false;
	list->mode = 0644;
	in = open_list(list);
	if (!in && errno == ENOENT)
		return true;
	/* It would become a file, and who keeps the other has lost it. */
	if (!in && errno == ELOOP) {
		cli_complain(list->where,
			     "%s: is a link: change the file "
			     "where it leads to",
			     list->path);
		return false;
	}
	why = in ? take_text(list, in) : strerror(errno);
	if (why)
		cli_complain(list->where, "%s: %s", list->path, why);
	if (in)
		fclose(in);
	list->exists = true;
	return !why;
}

/* Does the entry of @n bytes at @at name an object of ours? */
static bool is_ours(const char *at, size_t n)
{
	const size_t length = sizeof(FF_OBJECT) - 1;

	return n >= length && !memcmp(at + n - length, FF_OBJECT, length) &&
	       (n == length || at[n - length - 1] == '/');
}

/*
 * The next entry at or behind *at, which moves on; NULL at the end. ld.so takes
 * blanks and colons for separators, and # for the begin of a comment.
 */
static const char *next_entry(const char **at, size_t *ret_bytes)
{
	const char *entry;

	for (;;) {
		*at += strspn(*at, " \t\n:");
		if (**at != '#')
			break;
		*at += strcspn(*at, "\n");
	}
	entry = *at;
	*ret_bytes = strcspn(entry, " \t\n:#");
	*at += *ret_bytes;
	return *ret_bytes ? entry : NULL;
}

const char *system_list_ours(const struct system_list *list, size_t *ret_bytes)
{
	const char *at = list->text, *entry;

	while ((entry = next_entry(&at, ret_bytes)))
		if (is_ours(entry, *ret_bytes))
			return entry;
	return NULL;
}

bool system_list_replace(const struct system_list *list, const char *text)
{
	char made[PATH_MAX + 16];
	bool good;
	int fd;

	if (!text) {
		good = !unlink(list->path);
		if (!good)
			cli_complain(list->where, "%s: %s", list->path,
				     strerror(errno));
		return good;
	}
	snprintf(made, sizeof(made), "%s.flatfork", list->path);
	unlink(made);
	fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	good = fd >= 0 && !fchmod(fd, list->mode) &&
	       write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
	       !fsync(fd) && !rename(made, list->path);
	if (!good) {
		cli_complain(list->where, "%s: %s", list->path,
			     strerror(errno));
		if (fd >= 0)
			unlink(made);
	}
	if (fd >= 0)
		close(fd);
	return good;
}
