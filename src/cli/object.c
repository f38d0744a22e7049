/*
 * Where the interposer is: beside this executable (a build directory), or in
 * the library directory it was installed with.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

/* The directory of this executable, without the last slash. */
static bool own_directory(char dir[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", dir, PATH_MAX - 1);

	if (n < 0)
		return false;
	dir[n] = '\0';
	*strrchr(dir, '/') = '\0';
	return true;
}

/* Absolute path of the interposer in @dir/@below, malloc'ed, or NULL. */
static char *look(const char *dir, const char *below)
{
	char path[2 * PATH_MAX];
	char *found;

	snprintf(path, sizeof(path), "%s/%s/" FF_OBJECT, dir, below);
	found = realpath(path, NULL);
	if (found && access(found, R_OK)) {
		free(found);
		return NULL;
	}
	return found;
}

char *cli_object(const char *where)
{
	static const char *const below[] = { ".", FF_LIBDIR_FROM_BINDIR,
					     "../lib" };
	char dir[PATH_MAX];

	if (!own_directory(dir)) {
		cli_complain(where, "/proc/self/exe: %s", strerror(errno));
		return NULL;
	}
	for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++) {
		char *found = look(dir, below[i]);

		if (found)
			return found;
	}
	cli_complain(where, "%s: neither in %s nor in %s/%s", FF_OBJECT, dir,
		     dir, FF_LIBDIR_FROM_BINDIR);
	return NULL;
}

/* @object before what @old, LD_PRELOAD's value or NULL, has. */
static bool set_preload(const char *where, const char *object, const char *old)
{
	char *list;
	bool set;

	if (!old || !*old)
		return !setenv("LD_PRELOAD", object, 1);
	if (asprintf(&list, "%s:%s", object, old) < 0) {
		cli_complain(where, "LD_PRELOAD: %s", strerror(ENOMEM));
		return false;
	}
	set = !setenv("LD_PRELOAD", list, 1);
	free(list);
	return set;
}

/* ld.so puts something else in the place of $LIB. */
static char *object_for_preload(const char *where)
{
	char *object = cli_object(where);

	if (!object || !object[strcspn(object, " :$")])
		return object;
	cli_complain(where,
		     strchr(object, '$') ?
			     "%s: LD_PRELOAD can't hold a path with a $" :
			     "%s: LD_PRELOAD can't hold a path with a space or "
			     "a colon",
		     object);
	free(object);
	return NULL;
}

bool cli_preload_can(const char *where)
{
	char *object = object_for_preload(where);

	free(object);
	return object;
}

bool cli_preload(const char *where)
{
	const char *old = getenv("LD_PRELOAD");
	char *object = object_for_preload(where);
	bool set = false;
	size_t n;

	if (!object)
		return false;
	n = strlen(object);
	if (old && !strncmp(old, object, n) && strchr(" :", old[n]))
		set = true; /* a run within a run; strchr finds the end, too */
	else
		set = set_preload(where, object, old);
	free(object);
	return set;
}
