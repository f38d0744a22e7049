/*
 * The exec of a child, with the search along PATH that execvp does. Runs in
 * borrowed memory; the rules of child.c.
 *
 * The results are those of glibc's posix_spawnp, whatever one thinks of
 * them: a file that is no executable (ENOEXEC) is not given to a shell, an
 * entry of PATH that is too long is skipped, and the current directory tried
 * in its place. A name that is too long is so at once from 2.43 on; before, it
 * is in whatever directory there is.
 *
 * Hazards:
 * H-S18 A program that was written just now may be busy (ETXTBSY) because a
 *       child of another thread still has a copy of the descriptor it was
 *       written through, until its own exec. That passes: it is tried again
 *       for some milliseconds, before the error is believed.
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <time.h>

#include "host/sys.h"
#include "spawn/child/child.h"

static size_t child_length(const char *s, size_t most)
{
	size_t n = 0;

	while (n < most && s[n])
		n++;
	return n;
}

/* The end of the first entry of @path: a colon or the zero. */
static const char *child_entry_end(const char *path)
{
	while (*path && *path != ':')
		path++;
	return path;
}

static bool child_has_slash(const char *file)
{
	for (; *file; file++)
		if (*file == '/')
			return true;
	return false;
}

static bool child_goes_on_after(long error)
{
	switch (-error) {
	case EACCES:
	case ENOENT:
	case ESTALE:
	case ENOTDIR:
	case ENODEV:
	case ETIMEDOUT:
		return true;
	default:
		return false;
	}
}

#define BUSY_FIRST_NS 50000
#define BUSY_TRIES 9 /* 25 ms in all */

static long child_execve(const struct ff_plan *plan, const char *path)
{
	struct timespec pause = { 0, BUSY_FIRST_NS };
	long rc = sys(execve, path, plan->argv, plan->envp);
	int i;

	for (i = 0; rc == -ETXTBSY && i < BUSY_TRIES; i++) {
		sys(nanosleep, &pause, NULL);
		pause.tv_nsec *= 2;
		rc = sys(execve, path, plan->argv, plan->envp);
	}
	return rc;
}

static int child_search(const struct ff_plan *plan)
{
	char path[PATH_MAX + NAME_MAX + 2];
	size_t file_bytes = child_length(plan->file, NAME_MAX + 1);
	size_t longest = child_length(plan->search, PATH_MAX - 1);
	const char *from = plan->search, *end;
	bool denied = false;
	long error = -ECHILD;
	size_t n, i;

	if (plan->short_names && file_bytes > NAME_MAX)
		return ENAMETOOLONG;
	for (;; from = end) {
		end = child_entry_end(from);
		if ((size_t)(end - from) > longest) {
			if (!*end)
				break;
			continue;
		}
		for (n = 0; from + n < end; n++)
			path[n] = from[n];
		if (n)
			path[n++] = '/';
		for (i = 0; i < file_bytes; i++)
			path[n++] = plan->file[i];
		path[n] = '\0';
		error = child_execve(plan, path);
		if (!child_goes_on_after(error))
			return (int)-error;
		denied |= error == -EACCES;
		if (!*end++)
			break;
	}
	return denied ? EACCES : (int)-error;
}

int ff_child_exec(const struct ff_plan *plan)
{
	if (!plan->search)
		return (int)-child_execve(plan, plan->file);
	if (!*plan->file)
		return ENOENT;
	if (child_has_slash(plan->file))
		return (int)-child_execve(plan, plan->file);
	return child_search(plan);
}
