#include "libc/environment.h"

#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* ld.so's: where the kernel put argc, behind it the arguments, a NULL, and the
 * environment. */
extern void *__libc_stack_end;

bool ff_libc_has_begun(void)
{
	return environ != NULL;
}

char *const *ff_environment(void)
{
	char **argv = (char **)__libc_stack_end + 1;

	return environ ? environ : argv + *(long *)__libc_stack_end + 1;
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

void ff_program_names(const char *ret_name[FF_PROGRAM_NAMES])
{
	char *const *argv = (char **)__libc_stack_end + 1;
	const char *file = (const char *)getauxval(AT_EXECFN);
	size_t n = 0;

	if (file)
		ret_name[n++] = without_folder(file);
	if (*argv)
		ret_name[n++] = without_folder(*argv);
	ret_name[n] = NULL;
}
