/*
 * The exec of a child, with the search along PATH that execvp does. Runs in
 * borrowed memory; the rules of child.c.
 *
 * The results are those of glibc's posix_spawnp, whatever one thinks of
 * them: a file that is no executable (ENOEXEC) is not given to a shell, an
 * entry of PATH that is too long is skipped, and the current directory tried
 * in its place.
 */
#include <errno.h>
#include <limits.h>
#include <stddef.h>

#include "host/sys.h"
#include "spawn/child.h"

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

static int child_search(const struct ff_plan *plan)
{
	char path[PATH_MAX + NAME_MAX + 2];
	size_t file_bytes = child_length(plan->file, NAME_MAX + 1);
	size_t longest = child_length(plan->search, PATH_MAX - 1);
	const char *from = plan->search, *end;
	bool denied = false;
	long error = -ECHILD;
	size_t n, i;

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
		error = sys(execve, path, plan->argv, plan->envp);
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
		return (int)-sys(execve, plan->file, plan->argv, plan->envp);
	if (!*plan->file)
		return ENOENT;
	if (child_has_slash(plan->file))
		return (int)-sys(execve, plan->file, plan->argv, plan->envp);
	return child_search(plan);
}
