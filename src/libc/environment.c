#include "libc/environment.h"

#include "libc/libc.h"
#include "libc/weak.h"

FF_WEAK(__libc_stack_end)

#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* ld.so's: where the kernel put argc, behind it the arguments, a NULL, and the
 * environment. */
extern void *__libc_stack_end;

/* A program that is an argument of ld.so's: before 2.36 ld.so moved the stack
 * up to it, and what lies below is overwritten. */
static bool is_overwritten(void)
{
	return ff_libc_is_before(36) && !getauxval(AT_BASE);
}

/* NULL: it can't be found. */
static char **first_argument(void)
{
	return ff_libc_is_known() && !is_overwritten() ?
		       (char **)__libc_stack_end + 1 :
		       NULL;
}

bool ff_libc_has_begun(void)
{
	return environ != NULL;
}

char *const *ff_environment(void)
{
	static char *const none;
	char **argv = first_argument();

	if (environ)
		return environ;
	return argv ? argv + *(long *)__libc_stack_end + 1 : &none;
}

const char *ff_environment_value(const char *name)
{
	char *const *at = ff_environment();
	size_t n = strlen(name);

	for (; *at; at++)
		if (!strncmp(*at, name, n) && (*at)[n] == '=')
			return *at + n + 1;
	return NULL;
}

static const char *without_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *ff_program_file(void)
{
	const char *path = (const char *)getauxval(AT_EXECFN);

	return path ? without_folder(path) : NULL;
}

void ff_program_names(const char *ret_name[FF_PROGRAM_NAMES])
{
	char *const *argv = first_argument();
	const char *file = ff_program_file();
	size_t n = 0;

	if (file)
		ret_name[n++] = file;
	if (argv && *argv)
		ret_name[n++] = without_folder(*argv);
	ret_name[n] = NULL;
}
